// Command server is a log by Tessera on a POSIX file system, over HTTP: what this log is
// measured against. An entry is answered when Tessera says that it is durable.
package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

var (
	folder     = flag.String("folder", "", "where the log is; its key is made there")
	batch      = flag.Uint("batch", tessera.DefaultBatchMaxSize, "entries in a batch")
	age        = flag.Duration("age", tessera.DefaultBatchMaxAge, "how long a batch waits for more")
	checkpoint = flag.Duration("checkpoint", time.Second, "how often a checkpoint is published")
)

func main() {
	flag.Parse()
	ctx := context.Background()
	stopped, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	secret, public, err := note.GenerateKey(rand.Reader, "log.example/peer")
	check(err)
	signer, err := note.NewSigner(secret)
	check(err)
	driver, err := posix.New(ctx, posix.Config{Path: *folder})
	check(err)
	options := tessera.NewAppendOptions().
		WithCheckpointSigner(signer).
		WithCheckpointInterval(*checkpoint).
		WithBatching(*batch, *age)
	appender, shutdown, _, err := tessera.NewAppender(ctx, driver, options)
	check(err)
	check(os.WriteFile(filepath.Join(*folder, "vkey"), []byte(public), 0o600))
	http.HandleFunc("POST /add", func(answer http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err == nil {
			var index tessera.Index
			if index, err = appender.Add(request.Context(), tessera.NewEntry(body))(); err == nil {
				fmt.Fprint(answer, index.Index)
				return
			}
		}
		http.Error(answer, err.Error(), http.StatusServiceUnavailable)
	})
	http.Handle("GET /", http.FileServer(http.Dir(*folder)))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Printf("http://%s\n", listener.Addr())
	go http.Serve(listener, nil)
	<-stopped.Done()
	check(shutdown(ctx))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
