// What stands between JSON and the types of discord-api-types: their enums of
// texts, to which no literal is assignable, and those of flags, which lack none.
export type Plain<T> = T extends string ? `${T}`
  : T extends number ? T | 0
  : T extends (infer U)[] ? Plain<U>[]
  : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
