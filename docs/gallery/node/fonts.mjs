// Fonts travel inside the pages, so that pictures look alike everywhere.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

// read returns a file of a package.
export const read = (path, encoding) => readFileSync(require.resolve(path), encoding)

// face returns the CSS that declares one weight of a fontsource family.
export function face(family, name, weight, style = 'normal') {
  const data = read(`@fontsource/${name}/files/${name}-latin-${weight}-${style}.woff2`, 'base64')
  return `@font-face{font-family:"${family}";font-weight:${weight};font-style:${style};src:url(data:font/woff2;base64,${data}) format("woff2")}`
}
