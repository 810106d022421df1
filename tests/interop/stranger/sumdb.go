package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// openNote opens a signed note under one key, as Go's checksum database does.
func openNote(_ context.Context, args []string) (string, error) {
	data, err := os.ReadFile(args[0])
	if err != nil {
		return "", err
	}
	opened, err := open(data, args[1])
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("signed by %s; others unknown: %d", opened.Sigs[0].Name, len(opened.UnverifiedSigs)), nil
}

func open(data []byte, vkey string) (*note.Note, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	return note.Open(data, note.VerifierList(verifier))
}

// tiles reads a log's tiles over HTTP; no proof is asked of the log.
type tiles struct {
	ctx  context.Context
	url  string
	read map[tlog.Tile][]byte
}

func (t *tiles) Height() int { return height }

func (t *tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, 0, len(wanted))
	for _, tile := range wanted {
		data, ok := t.read[tile]
		if !ok {
			// The paths of c2sp.org/tlog-tiles are those of Go without the height.
			path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
			var err error
			if data, err = get(t.ctx, t.url+path); err != nil {
				return nil, err
			}
			t.read[tile] = data
		}
		found = append(found, data)
	}
	return found, nil
}

// entries reads those of the tile of this number, which has `width` of them.
func (t *tiles) entries(number int64, width int) ([][]byte, error) {
	path := tlog.Tile{H: height, L: -1, N: number, W: width}.Path()
	path = strings.Replace(path, fmt.Sprintf("tile/%d/data/", height), "tile/entries/", 1)
	data, err := get(t.ctx, t.url+path)
	if err != nil {
		return nil, err
	}
	var found [][]byte
	for len(data) > 0 {
		size := 2 + int(binary.BigEndian.Uint16(data))
		found, data = append(found, data[2:size]), data[size:]
	}
	if len(found) != width {
		return nil, fmt.Errorf("%s has %d entries", path, len(found))
	}
	return found, nil
}

// proveAll proves each entry, and that each smaller tree is the beginning.
func proveAll(ctx context.Context, args []string) (string, error) {
	data, err := get(ctx, args[0]+"checkpoint")
	if err != nil {
		return "", err
	}
	opened, err := open(data, args[1])
	if err != nil {
		return "", err
	}
	var origin, root string
	var size int64
	if _, err := fmt.Sscanf(opened.Text, "%s\n%d\n%s\n", &origin, &size, &root); err != nil {
		return "", err
	}
	hash, err := tlog.ParseHash(root)
	if err != nil {
		return "", err
	}
	source := &tiles{ctx, args[0], map[tlog.Tile][]byte{}}
	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: hash}, source)
	for index := int64(0); index < size; index += 1 << height {
		entries, err := source.entries(index>>height, int(min(size-index, 1<<height)))
		if err != nil {
			return "", err
		}
		for at, entry := range entries {
			if err := prove(reader, size, hash, index+int64(at), entry); err != nil {
				return "", err
			}
		}
	}
	for before := int64(1); before <= size; before += 1 + size/200 {
		if err := proveTree(reader, size, hash, before); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d entries of %s, each by a proof of its own", size, origin), nil
}

func prove(reader tlog.HashReader, size int64, root tlog.Hash, index int64, entry []byte) error {
	proof, err := tlog.ProveRecord(size, index, reader)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, size, root, index, leafHash(entry))
}

func proveTree(reader tlog.HashReader, size int64, root tlog.Hash, before int64) error {
	proof, err := tlog.ProveTree(size, before, reader)
	if err != nil {
		return err
	}
	smaller, err := tlog.TreeHash(before, reader)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, size, root, before, smaller)
}

func leafHash(entry []byte) tlog.Hash {
	return sha256.Sum256(append([]byte{0}, entry...))
}

func get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", url, answer.Status)
	}
	return io.ReadAll(answer.Body)
}
