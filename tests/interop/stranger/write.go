package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	fnote "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

// makeLogKey makes a log's key as Go has it, and says the public half.
func makeLogKey(_ context.Context, args []string) (string, error) {
	secret, public, err := note.GenerateKey(rand.Reader, args[0])
	if err != nil {
		return "", err
	}
	return public, os.WriteFile(args[1], []byte(secret), 0o600)
}

// makeWitnessKey makes a witness's key, and says the public half.
func makeWitnessKey(_ context.Context, args []string) (string, error) {
	secret, public, err := note.GenerateKey(rand.Reader, args[0])
	if err != nil {
		return "", err
	}
	if public, err = fnote.VKeyToCosignatureV1(public); err != nil {
		return "", err
	}
	return public, os.WriteFile(args[1], []byte(secret), 0o600)
}

// writeLog has Tessera append entries to a log in a folder.
func writeLog(ctx context.Context, args []string) (string, error) {
	return write(ctx, args, func(options *tessera.AppendOptions) *tessera.AppendOptions { return options })
}

// writeWitnessed does so under a policy that asks a witness for each checkpoint.
func writeWitnessed(ctx context.Context, args []string) (string, error) {
	where, err := url.Parse(args[4])
	if err != nil {
		return "", err
	}
	witness, err := tessera.NewWitness(args[3], where)
	if err != nil {
		return "", err
	}
	return write(ctx, args, func(options *tessera.AppendOptions) *tessera.AppendOptions {
		return options.WithWitnesses(tessera.NewWitnessGroup(1, witness), nil)
	})
}

func write(ctx context.Context, args []string, more func(*tessera.AppendOptions) *tessera.AppendOptions) (string, error) {
	key, err := os.ReadFile(args[1])
	if err != nil {
		return "", err
	}
	signer, err := note.NewSigner(strings.TrimSpace(string(key)))
	if err != nil {
		return "", err
	}
	count, err := strconv.Atoi(args[2])
	if err != nil {
		return "", err
	}
	driver, err := posix.New(ctx, posix.Config{Path: args[0]})
	if err != nil {
		return "", err
	}
	options := tessera.NewAppendOptions().
		WithCheckpointSigner(signer).
		WithCheckpointInterval(100*time.Millisecond).
		WithBatching(256, 50*time.Millisecond)
	appender, stop, reader, err := tessera.NewAppender(ctx, driver, more(options))
	if err != nil {
		return "", err
	}
	awaiter := tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, 50*time.Millisecond)
	futures := make([]tessera.IndexFuture, count)
	for at := range futures {
		futures[at] = appender.Add(ctx, tessera.NewEntry(fmt.Appendf(nil, "entry %d", at)))
	}
	for _, each := range futures {
		if _, _, err := awaiter.Await(ctx, each); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d entries by %s", count, signer.Name()), stop(ctx)
}
