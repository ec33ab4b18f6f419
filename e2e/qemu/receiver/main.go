// Command receiver takes the tokens of a box that is emulated, from within it: the machine has no network, and flattone tells nobody else in plain HTTP.
// It writes down what it verified, an object of JSON a line.
package main

import (
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/flattone/flattone/demo/receiver"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: receiver ADDRESS SECRET-FILE FILE")
	}
	log.Fatal(serve(os.Args[1], os.Args[2], os.Args[3]))
}

func serve(address, secretFile, file string) error {
	secret, err := os.ReadFile(secretFile)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	takes, err := receiver.New(strings.TrimSpace(string(secret)), out)
	if err != nil {
		return err
	}
	l, err := receiver.Listen(address)
	if err != nil {
		return err
	}
	return http.Serve(l, takes)
}
