package main

import (
	"context"
	"fmt"
	"os"

	"github.com/transparency-dev/formats/log"
	tlogproof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/formats/witness"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

// openProof reads a tlog-proof, and verifies it for an entry under the log's key.
func openProof(_ context.Context, args []string) (string, error) {
	data, err := os.ReadFile(args[0])
	if err != nil {
		return "", err
	}
	entry, err := os.ReadFile(args[1])
	if err != nil {
		return "", err
	}
	var found tlogproof.TLogProof
	if err := found.Unmarshal(data); err != nil {
		return "", err
	}
	verifier, err := note.NewVerifier(args[2])
	if err != nil {
		return "", err
	}
	checkpoint, _, _, err := log.ParseCheckpoint(found.Checkpoint, verifier.Name(), verifier)
	if err != nil {
		return "", err
	}
	hashes := make([][]byte, len(found.Hashes))
	for at := range found.Hashes {
		hashes[at] = found.Hashes[at][:]
	}
	leaf := rfc6962.DefaultHasher.HashLeaf(entry)
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, found.Index, checkpoint.Size, leaf, hashes, checkpoint.Hash); err != nil {
		return "", err
	}
	if string(found.Marshal()) != string(data) {
		return "", fmt.Errorf("it is written in another way: %q", found.Marshal())
	}
	return fmt.Sprintf("entry %d of %d", found.Index, checkpoint.Size), nil
}

// askPolicy says whether a checkpoint has the cosignatures that a policy asks for.
func askPolicy(_ context.Context, args []string) (string, error) {
	policy, err := os.ReadFile(args[0])
	if err != nil {
		return "", err
	}
	checkpoint, err := os.ReadFile(args[1])
	if err != nil {
		return "", err
	}
	group, err := witness.ParsePolicy(policy)
	if err != nil {
		return "", err
	}
	if !group.Satisfied(checkpoint) {
		return "", fmt.Errorf("the quorum is not reached")
	}
	return "the quorum is reached", nil
}
