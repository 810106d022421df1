package main

import (
	"context"
	"fmt"
	"net/url"

	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
)

type source interface {
	ReadCheckpoint(ctx context.Context) ([]byte, error)
	ReadTile(ctx context.Context, level, index uint64, p uint8) ([]byte, error)
	ReadEntryBundle(ctx context.Context, index uint64, p uint8) ([]byte, error)
}

// read is a log at an address or in a folder, and the checkpoint that it shows.
func read(ctx context.Context, where, vkey string) (source, note.Verifier, *log.Checkpoint, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, nil, nil, err
	}
	root, err := url.Parse(where)
	if err != nil {
		return nil, nil, nil, err
	}
	var fetcher source = client.FileFetcher{Root: where}
	if root.Scheme != "" {
		if fetcher, err = client.NewHTTPFetcher(root, nil); err != nil {
			return nil, nil, nil, err
		}
	}
	checkpoint, _, _, err := client.FetchCheckpoint(ctx, fetcher.ReadCheckpoint, verifier, verifier.Name())
	return fetcher, verifier, checkpoint, err
}

// followAll proves with Tessera's client each entry, and growth from smaller trees.
func followAll(ctx context.Context, args []string) (string, error) {
	fetcher, _, checkpoint, err := read(ctx, args[0], args[1])
	if err != nil {
		return "", err
	}
	size := checkpoint.Size
	builder, err := client.NewProofBuilder(ctx, size, fetcher.ReadTile)
	if err != nil {
		return "", err
	}
	for start := uint64(0); start < size; start += 256 {
		bundle, err := client.GetEntryBundle(ctx, fetcher.ReadEntryBundle, start/256, size)
		if err != nil {
			return "", err
		}
		for at, entry := range bundle.Entries {
			index := start + uint64(at)
			hashes, err := builder.InclusionProof(ctx, index)
			if err != nil {
				return "", err
			}
			leaf := rfc6962.DefaultHasher.HashLeaf(entry)
			if err := proof.VerifyInclusion(rfc6962.DefaultHasher, index, size, leaf, hashes, checkpoint.Hash); err != nil {
				return "", fmt.Errorf("entry %d: %w", index, err)
			}
		}
	}
	for before := uint64(1); before < size; before += 1 + size/200 {
		if err := grown(ctx, builder, fetcher, before, checkpoint); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d entries of %s, each by a proof of its own", size, checkpoint.Origin), nil
}

func grown(ctx context.Context, builder *client.ProofBuilder, fetcher source, before uint64, later *log.Checkpoint) error {
	hashes, err := builder.ConsistencyProof(ctx, before, later.Size)
	if err != nil {
		return err
	}
	nodes, err := client.FetchRangeNodes(ctx, before, fetcher.ReadTile)
	if err != nil {
		return err
	}
	root := nodes[len(nodes)-1]
	for at := len(nodes) - 2; at >= 0; at-- {
		root = rfc6962.DefaultHasher.HashChildren(nodes[at], root)
	}
	return proof.VerifyConsistency(rfc6962.DefaultHasher, before, later.Size, hashes, root, later.Hash)
}

// checkAll re-hashes the whole log, and holds all its tiles against that. With one
// worker fsck would wait for ever when something is wrong.
func checkAll(ctx context.Context, args []string) (string, error) {
	fetcher, verifier, checkpoint, err := read(ctx, args[0], args[1])
	if err != nil {
		return "", err
	}
	if err := fsck.New(verifier.Name(), verifier, fetcher, leafHashes, fsck.Opts{N: 8}).Check(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d entries of %s re-hashed, and every tile", checkpoint.Size, checkpoint.Origin), nil
}

func leafHashes(data []byte) ([][]byte, error) {
	bundle := api.EntryBundle{}
	if err := bundle.UnmarshalText(data); err != nil {
		return nil, err
	}
	hashes := make([][]byte, 0, len(bundle.Entries))
	for _, entry := range bundle.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}
