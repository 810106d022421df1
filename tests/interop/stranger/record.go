package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"

	"github.com/fxamacker/cbor/v2"
)

// writeRecords writes the records of a file of vectors in canonical CBOR by another
// library, and hashes their entries: both have to be what the file says.
func writeRecords(_ context.Context, args []string) (string, error) {
	data, err := os.ReadFile(args[0])
	if err != nil {
		return "", err
	}
	var file struct {
		Wrapper struct {
			At       int64
			By, Type string
		}
		Records []struct{ Kind, JSON, CBOR, Leaf string }
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return "", err
	}
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		return "", err
	}
	for _, each := range file.Records {
		value, err := whole(each.JSON)
		if err != nil {
			return "", fmt.Errorf("%s: %w", each.Kind, err)
		}
		body, err := mode.Marshal(value)
		if err != nil {
			return "", err
		}
		entry, err := mode.Marshal(map[string]any{
			"v": 1, "at": file.Wrapper.At, "by": file.Wrapper.By,
			"type": file.Wrapper.Type, "body": body,
		})
		if err != nil {
			return "", err
		}
		leaf := sha256.Sum256(append([]byte{0}, entry...))
		if hex.EncodeToString(body) != each.CBOR || hex.EncodeToString(leaf[:]) != each.Leaf {
			return "", fmt.Errorf("%s: other bytes, or another leaf", each.Kind)
		}
	}
	return fmt.Sprintf("%d records", len(file.Records)), nil
}

// whole reads JSON whose numbers are integers.
func whole(text string) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return integers(value)
}

func integers(value any) (any, error) {
	var err error
	switch found := value.(type) {
	case json.Number:
		return found.Int64()
	case []any:
		for at := range found {
			if found[at], err = integers(found[at]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for name := range found {
			if found[name], err = integers(found[name]); err != nil {
				return nil, err
			}
		}
	}
	return value, nil
}
