// Writes test/log/tree/vectors.json: roots, tiles, bundles and proofs by golang.org/x/mod/sumdb/tlog, over the entries
// of test/log/tree/shared.ts.
package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"log"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

func entry(i int) []byte {
	return []byte(strings.Repeat(strconv.Itoa(i*i), i%41))
}

type file struct {
	Path string `json:"path"`
	Hash string `json:"sha256"`
}

type inclusion struct {
	Index int64    `json:"index"`
	Proof []string `json:"proof"`
}

type consistency struct {
	From  int64    `json:"from"`
	Proof []string `json:"proof"`
}

type tree struct {
	Size        int64         `json:"size"`
	Root        string        `json:"root"`
	Files       []file        `json:"files"`
	Inclusion   []inclusion   `json:"inclusion"`
	Consistency []consistency `json:"consistency"`
}

func texts(p []tlog.Hash) []string {
	out := []string{}
	for _, h := range p {
		out = append(out, base64.StdEncoding.EncodeToString(h[:]))
	}
	return out
}

// path is that of tlog-tiles: it has no height, and bundles are called entries.
func path(t tlog.Tile) string {
	p := strings.TrimPrefix(t.Path(), "tile/8/")
	return "tile/" + strings.Replace(p, "data/", "entries/", 1)
}

func digest(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

func main() {
	log.SetFlags(0)
	sizes := []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 100, 255, 256, 257, 300, 511, 512, 513, 1000, 65535, 65536, 65537, 70000}
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			out[i] = stored[x]
		}
		return out, nil
	})
	last := sizes[len(sizes)-1]
	for i := int64(0); i < last; i++ {
		hs, err := tlog.StoredHashes(i, entry(int(i)), reader)
		if err != nil {
			log.Fatal(err)
		}
		stored = append(stored, hs...)
	}
	var trees []tree
	for _, size := range sizes {
		root, err := tlog.TreeHash(size, reader)
		if err != nil {
			log.Fatal(err)
		}
		t := tree{Size: size, Root: base64.StdEncoding.EncodeToString(root[:]), Files: []file{}, Inclusion: []inclusion{}, Consistency: []consistency{}}
		for _, tile := range tlog.NewTiles(8, 0, size) {
			// Of the many full tiles of the large trees, every sixteenth is enough.
			if tile.L == 0 && tile.W == 256 && tile.N%16 != 15 && size > 1000 {
				continue
			}
			data, err := tlog.ReadTileData(tile, reader)
			if err != nil {
				log.Fatal(err)
			}
			t.Files = append(t.Files, file{path(tile), digest(data)})
			if tile.L == 0 {
				var bundle []byte
				for i := 0; i < tile.W; i++ {
					e := entry(int(tile.N*256) + i)
					bundle = binary.BigEndian.AppendUint16(bundle, uint16(len(e)))
					bundle = append(bundle, e...)
				}
				tile.L = -1
				t.Files = append(t.Files, file{path(tile), digest(bundle)})
			}
		}
		for _, index := range []int64{0, 1, size / 3, size / 2, size - 2, size - 1} {
			if index < 0 || index >= size || len(t.Inclusion) > 0 && t.Inclusion[len(t.Inclusion)-1].Index >= index {
				continue
			}
			p, err := tlog.ProveRecord(size, index, reader)
			if err != nil {
				log.Fatal(err)
			}
			t.Inclusion = append(t.Inclusion, inclusion{index, texts(p)})
		}
		for _, from := range []int64{1, 2, size / 3, size / 2, size - 2, size - 1, size} {
			if from < 1 || from > size || len(t.Consistency) > 0 && t.Consistency[len(t.Consistency)-1].From >= from {
				continue
			}
			p, err := tlog.ProveTree(size, from, reader)
			if err != nil {
				log.Fatal(err)
			}
			t.Consistency = append(t.Consistency, consistency{from, texts(p)})
		}
		trees = append(trees, t)
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", " ")
	if err := out.Encode(trees); err != nil {
		log.Fatal(err)
	}
}
