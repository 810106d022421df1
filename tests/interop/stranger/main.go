// Command stranger looks at a log with other people's libraries, and says what it saw.
package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// A look takes its arguments, and says what it has seen, or what does not hold.
type look func(ctx context.Context, args []string) (string, error)

var looks = map[string]struct {
	look look
	args int
	says string
}{
	"note":      {openNote, 2, "FILE VKEY"},
	"tlog":      {proveAll, 2, "URL VKEY"},
	"client":    {followAll, 2, "URL|FOLDER VKEY"},
	"fsck":      {checkAll, 2, "URL|FOLDER VKEY"},
	"proof":     {openProof, 3, "FILE ENTRYFILE VKEY"},
	"policy":    {askPolicy, 2, "FILE CHECKPOINT"},
	"witness":   {beWitness, 3, "KEYFILE LISTEN LOGVKEY..."},
	"feed":      {feedWitness, 4, "WITNESSURL WITNESSVKEY URL|FOLDER LOGVKEY"},
	"write":     {writeLog, 3, "FOLDER KEYFILE COUNT"},
	"witnessed": {writeWitnessed, 5, "FOLDER KEYFILE COUNT WITNESSVKEY WITNESSURL"},
	"records":   {writeRecords, 1, "FILE"},
	"log-key":   {makeLogKey, 2, "NAME FILE"},
	"key":       {makeWitnessKey, 2, "NAME FILE"},
}

func main() {
	name, args := "", os.Args[1:]
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	found, ok := looks[name]
	if !ok || len(args) < found.args {
		for name, each := range looks {
			fmt.Fprintln(os.Stderr, "stranger", name, each.says)
		}
		os.Exit(2)
	}
	// Whoever waits for ever has found something, too.
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	said, err := found.look(ctx, args)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(said)
}
