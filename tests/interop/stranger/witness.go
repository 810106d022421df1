package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/transparency-dev/formats/log"
	fnote "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/tessera/client"
	whttp "github.com/transparency-dev/witness/client/http"
	"github.com/transparency-dev/witness/config"
	"github.com/transparency-dev/witness/omniwitness"
	"github.com/transparency-dev/witness/persistence/inmemory"
	"golang.org/x/mod/sumdb/note"
)

// beWitness runs an omniwitness for these logs until it is stopped.
func beWitness(ctx context.Context, args []string) (string, error) {
	key, err := os.ReadFile(args[0])
	if err != nil {
		return "", err
	}
	signer, err := fnote.NewSignerForCosignatureV1(strings.TrimSpace(string(key)))
	if err != nil {
		return "", err
	}
	store := inmemory.New()
	for _, vkey := range args[2:] {
		verifier, err := note.NewVerifier(vkey)
		if err != nil {
			return "", err
		}
		known := config.Log{VKey: vkey, Verifier: verifier, Origin: verifier.Name()}
		if err := store.AddLogs(ctx, []config.Log{known}); err != nil {
			return "", err
		}
	}
	listener, err := net.Listen("tcp", args[1])
	if err != nil {
		return "", err
	}
	fmt.Printf("http://%s\n", listener.Addr())
	options := omniwitness.OperatorConfig{
		WitnessKeys:     []note.Signer{signer},
		WitnessVerifier: signer.Verifier(),
		Logs:            store,
	}
	err = omniwitness.Main(ctx, options, store, listener, http.DefaultClient)
	return "stopped", err
}

// feedWitness brings a log's checkpoint to a witness, with the client of the feeders.
func feedWitness(ctx context.Context, args []string) (string, error) {
	fetcher, _, checkpoint, err := read(ctx, args[2], args[3])
	if err != nil {
		return "", err
	}
	raw, err := fetcher.ReadCheckpoint(ctx)
	if err != nil {
		return "", err
	}
	verifier, err := fnote.NewVerifierForCosignatureV1(args[1])
	if err != nil {
		return "", err
	}
	where, err := url.Parse(args[0])
	if err != nil {
		return "", err
	}
	asked := whttp.NewWitness(where, http.DefaultClient)
	// A witness that has seen more, or less, says how much: 409.
	lines, size, err := asked.Update(ctx, checkpoint.Size/2, raw, nil)
	if err == nil {
		return "", errors.New("it took our word for the size that it has seen")
	}
	if size > checkpoint.Size {
		return "", err
	}
	var hashes [][]byte
	if size > 0 {
		builder, err := client.NewProofBuilder(ctx, checkpoint.Size, fetcher.ReadTile)
		if err != nil {
			return "", err
		}
		if hashes, err = builder.ConsistencyProof(ctx, size, checkpoint.Size); err != nil {
			return "", err
		}
	}
	if lines, _, err = asked.Update(ctx, size, raw, hashes); err != nil {
		return "", err
	}
	_, _, opened, err := log.ParseCheckpoint(append(raw, lines...), checkpoint.Origin, mustVerifier(args[3]), verifier)
	if err != nil {
		return "", err
	}
	if len(opened.Sigs) != 2 {
		return "", fmt.Errorf("%d of the 2 signatures verify", len(opened.Sigs))
	}
	return fmt.Sprintf("from size %d to %d", size, checkpoint.Size), nil
}

func mustVerifier(vkey string) note.Verifier {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		panic(err)
	}
	return verifier
}
