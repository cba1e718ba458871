package sim

import (
	"fmt"
	"math/rand/v2"
	"strconv"
)

// An Agent is somebody on the simulated floor, with everything that opens their
// counters. The secrets are worth nothing outside the simulation.
type Agent struct {
	UserID string
	Token  string
	SSID   string
	Name   string
}

// String returns the agent as one line: user id, token, session id and name,
// parted by spaces. The name comes last because it has spaces in it.
func (a Agent) String() string {
	return a.UserID + " " + a.Token + " " + a.SSID + " " + a.Name
}

// names returns first and last names that go together.
func names() [2][2][]string {
	return [2][2][]string{
		{
			{"Aarti", "Aditya", "Amit", "Anjali", "Arjun", "Bhavna", "Chetan", "Deepa", "Farhan", "Gurpreet",
				"Harsh", "Imran", "Ishita", "Jyoti", "Karthik", "Kavya", "Lakshmi", "Manoj", "Nandini", "Nikhil",
				"Pooja", "Pranav", "Rahul", "Ritu", "Sameer", "Sneha", "Suresh", "Tanvi", "Usha", "Varun", "Yash", "Zoya"},
			{"Agarwal", "Bhat", "Chauhan", "D'Souza", "Das", "Deshpande", "Fernandes", "Gupta", "Iyer", "Jain",
				"Joshi", "Kapoor", "Khan", "Kulkarni", "Menon", "Mishra", "Mukherjee", "Naidu", "Nair", "Patel",
				"Pillai", "Rao", "Reddy", "Saxena", "Sharma", "Shetty", "Singh", "Thomas", "Verma", "Yadav"},
		},
		{
			{"Aoife", "Ben", "Carlos", "Chloé", "Daniel", "Emeka", "Grace", "Hana", "Jonas", "Liam",
				"María", "Mei", "Noah", "Olga", "Thandi", "Zofia"},
			{"Álvarez", "Brown", "Dlamini", "Eze", "Garcia", "Kowalska", "Lim", "Murphy", "Novak", "O'Brien",
				"Okafor", "Santos", "Schmidt", "Tan", "Walker", "Yılmaz"},
		},
	}
}

// hire returns n agents, fixed by the seed. The first one is always Asha Rao,
// whom demonstrations are about.
func hire(seed uint64, n int) []Agent {
	r := rand.New(rand.NewPCG(seed, 1))
	taken := map[string]int{}
	agents := make([]Agent, n)
	for i := range agents {
		name := "Asha Rao"
		if i > 0 {
			name = pick(r)
		}
		if taken[name]++; taken[name] > 1 {
			name = fmt.Sprintf("%s %d", name, taken[name])
		}
		agents[i] = Agent{
			UserID: strconv.Itoa(100213 + 17*i),
			Token:  letters(r, "0123456789abcdef", 32),
			SSID:   letters(r, "abcdefghijklmnopqrstuvwxyz0123456789", 26),
			Name:   name,
		}
	}
	return agents
}

// pick returns a name: three of four are Indian.
func pick(r *rand.Rand) string {
	kind := 0
	if r.IntN(4) == 0 {
		kind = 1
	}
	pool := names()[kind]
	return pool[0][r.IntN(len(pool[0]))] + " " + pool[1][r.IntN(len(pool[1]))]
}

// letters returns n random letters of an alphabet.
func letters(r *rand.Rand, alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}
