// Judges histories of a log, one JSON text a line on standard input (test/log/verify/histories.test.ts writes them),
// and writes a verdict a line: ok, or a word and the number of the first entry that is concerned.
//
// Notes, trees and the verification of tiles are those of golang.org/x/mod. The rest is written from the words of the
// specifications: the whole log is in memory, and every tile is asked for again for every entry.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"math/bits"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type history struct {
	Number     int
	Log        string
	WitnessKey string
	Files      map[string][]byte
	Seen       *struct {
		Size int64
		Edge [][]byte
	}
	Witness *string
}

type finding struct {
	word  string
	entry int64 // -1: none
}

// path is that of tlog-tiles.
func path(t tlog.Tile) string {
	p := strings.TrimPrefix(t.Path(), "tile/8/")
	return "tile/" + strings.Replace(p, "data/", "entries/", 1)
}

// read returns a file, or the full file in place of a partial one, and the width of the file.
func (h *history) read(t tlog.Tile) ([]byte, int) {
	if data, ok := h.Files[path(t)]; ok {
		return data, t.W
	}
	width := t.W
	t.W = 256
	if data, ok := h.Files[path(t)]; ok {
		return data, 256
	}
	return nil, width
}

var errTile = errors.New("a tile is missing, or has not its length")

// tileReader gives the tiles to x/mod, which verifies them against the root.
type tileReader struct{ h *history }

func (r tileReader) Height() int                                { return 8 }
func (r tileReader) SaveTiles(tiles []tlog.Tile, data [][]byte) {}
func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, t := range tiles {
		data, width := r.h.read(t)
		if data == nil || len(data) != width*32 {
			return nil, errTile
		}
		out = append(out, data[:t.W*32])
	}
	return out, nil
}

// entries returns the entries up to the first that is not there, and the verdict on it if there is one.
func (h *history) entries(from, size int64) (list [][]byte, gap *finding, long *finding) {
	last := (size - 1) / 256
	for b := from / 256; b*256 < size; b++ {
		t := tlog.Tile{H: 8, L: -1, N: b, W: int(min(256, size-b*256))}
		data, width := h.read(t)
		if data == nil {
			end, _ := h.read(tlog.Tile{H: 8, L: -1, N: last, W: int(size - last*256)})
			if b == last || end == nil {
				return list, &finding{"cut", b * 256}, long
			}
			return list, &finding{"deleted", b * 256}, long
		}
		for i := 0; i < t.W; i++ {
			if len(data) < 2 || len(data)-2 < int(data[0])<<8|int(data[1]) {
				return list, &finding{"deleted", b*256 + int64(i)}, long
			}
			n := int(data[0])<<8 | int(data[1])
			list = append(list, data[2:2+n])
			data = data[2+n:]
		}
		if width == t.W && len(data) > 0 && long == nil {
			long = &finding{"unreadable", b*256 + int64(t.W) - 1}
		}
	}
	return list, nil, long
}

// subtree is a complete subtree: the entries from start on.
type subtree struct {
	index int64 // as x/mod stores hashes
	start int64
	size  int64
}

// edge lists the complete subtrees of a tree, from the left.
func edge(size int64) []subtree {
	var list []subtree
	for start := int64(0); start < size; {
		level := bits.Len64(uint64(size-start)) - 1
		list = append(list, subtree{tlog.StoredHashIndex(level, start>>level), start, 1 << level})
		start += 1 << level
	}
	return list
}

func fold(hashes []tlog.Hash) tlog.Hash {
	h := hashes[len(hashes)-1]
	for i := len(hashes) - 2; i >= 0; i-- {
		h = tlog.NodeHash(hashes[i], h)
	}
	return h
}

func hashesAt(size int64, r tlog.HashReader) ([]tlog.Hash, error) {
	var indexes []int64
	for _, s := range edge(size) {
		indexes = append(indexes, s.index)
	}
	return r.ReadHashes(indexes)
}

// changed is where the first subtree of what was seen differs, or the size of what was seen.
func (h *history) changed(hashes []tlog.Hash) int64 {
	for i, s := range edge(h.Seen.Size) {
		if !bytes.Equal(h.Seen.Edge[i], hashes[i][:]) {
			return s.start
		}
	}
	return h.Seen.Size
}

// stored computes all hashes of a tree over entries.
func stored(list [][]byte) tlog.HashReader {
	var all []tlog.Hash
	r := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			out[i] = all[x]
		}
		return out, nil
	})
	for i, e := range list {
		hs, err := tlog.StoredHashes(int64(i), e, r)
		if err != nil {
			log.Fatal(err)
		}
		all = append(all, hs...)
	}
	return r
}

// tree judges entries and tiles; nil if they are good.
func (h *history) tree(t tlog.Tree) *finding {
	if h.Seen != nil && t.N < h.Seen.Size {
		return &finding{"rolled back", t.N}
	}
	if t.N == 0 {
		return nil
	}
	r := tlog.TileHashReader(t, tileReader{h})
	// The right edge of the tree, without which nothing else can be verified.
	if _, err := hashesAt(t.N, r); err != nil {
		return h.whole(t)
	}
	var from int64
	if h.Seen != nil {
		from = h.Seen.Size / 256 * 256
		if h.Seen.Size > 0 {
			hashes, err := hashesAt(h.Seen.Size, r)
			if err != nil {
				return h.whole(t)
			}
			if at := h.changed(hashes); at < h.Seen.Size {
				return &finding{"forked", at}
			}
		}
	}
	list, gap, long := h.entries(from, t.N)
	for i := from; i < t.N; i++ {
		if gap != nil && i == gap.entry {
			return gap
		}
		hashes, err := r.ReadHashes([]int64{tlog.StoredHashIndex(0, i)})
		if err != nil {
			return h.whole(t)
		}
		if hashes[0] != tlog.RecordHash(list[i-from]) {
			return &finding{"rewritten", i}
		}
	}
	return long
}

// whole judges a log of which a tile is wrong, by computing the tree from its entries.
func (h *history) whole(t tlog.Tree) *finding {
	list, gap, long := h.entries(0, t.N)
	ours := stored(list)
	size := int64(len(list))
	var first *finding
	for _, tile := range tlog.NewTiles(8, 0, t.N) {
		if tile.N*256<<(8*tile.L) >= size {
			continue
		}
		if f := h.tile(tile, ours, size); f != nil && (first == nil || f.entry < first.entry) {
			// A hash above a wrong leaf is wrong as well, and says less.
			if first == nil || tile.L == 0 {
				first = f
			} else if f.entry>>(8*tile.L) != first.entry>>(8*tile.L) {
				first = f
			}
		}
	}
	if gap != nil {
		if first != nil && first.word == "rewritten" && first.entry < gap.entry {
			return first
		}
		return gap
	}
	root, err := tlog.TreeHash(t.N, ours)
	if err != nil {
		log.Fatal(err)
	}
	if first != nil {
		return first
	}
	if long != nil {
		return long
	}
	if root == t.Hash {
		return nil
	}
	if h.Seen != nil {
		hashes, err := hashesAt(h.Seen.Size, ours)
		if err != nil {
			log.Fatal(err)
		}
		return &finding{"rewritten", h.changed(hashes)}
	}
	return &finding{"rewritten", 0}
}

// tile compares a tile with the entries, as far as they are there.
func (h *history) tile(t tlog.Tile, ours tlog.HashReader, size int64) *finding {
	if f := h.form(t); f != nil {
		return f
	}
	data, _ := h.read(t)
	for i := 0; i < t.W; i++ {
		n := t.N*256 + int64(i)
		if (n+1)<<(8*t.L) > size {
			break
		}
		hashes, err := ours.ReadHashes([]int64{tlog.StoredHashIndex(8*t.L, n)})
		if err != nil {
			log.Fatal(err)
		}
		if !bytes.Equal(hashes[0][:], data[i*32:i*32+32]) {
			return &finding{"rewritten", n << (8 * t.L)}
		}
	}
	return nil
}

// form judges the file of a tile without looking at its hashes.
func (h *history) form(t tlog.Tile) *finding {
	start := t.N * 256 << (8 * t.L)
	data, width := h.read(t)
	switch {
	case data == nil || len(data) < width*32:
		return &finding{"deleted", start}
	case len(data) > width*32:
		return &finding{"unreadable", start}
	}
	return nil
}

// open returns the tree of a checkpoint, and how many of the keys have signed it.
func open(msg []byte, keys ...string) (tlog.Tree, int, error) {
	var list []note.Verifier
	for _, k := range keys {
		v, err := verifier(k)
		if err != nil {
			log.Fatal(err)
		}
		list = append(list, v)
	}
	n, err := note.Open(msg, note.VerifierList(list...))
	if err != nil {
		return tlog.Tree{}, 0, err
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[0] != list[0].Name() || n.Sigs[0].Hash != list[0].KeyHash() {
		return tlog.Tree{}, 0, errors.New("not a checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, 0, err
	}
	hash, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: hash}, len(n.Sigs), err
}

// witness judges the log by the checkpoint of a witness.
func (h *history) witness(t tlog.Tree) *finding {
	if h.Witness == nil {
		return nil
	}
	seen := h.cosigned()
	if seen.N > t.N {
		return &finding{"rolled back", t.N}
	}
	if seen.N == t.N {
		if seen.Hash != t.Hash {
			return &finding{"forked", 0}
		}
		return nil
	}
	if seen.N == 0 {
		return nil
	}
	hashes, err := hashesAt(seen.N, tlog.TileHashReader(t, tileReader{h}))
	if err == nil && fold(hashes) != seen.Hash {
		return &finding{"forked", 0}
	}
	return nil
}

// cosigned returns the tree that the witness has cosigned.
func (h *history) cosigned() tlog.Tree {
	seen, sigs, err := open([]byte(*h.Witness), h.Log, h.WitnessKey)
	if err != nil || sigs != 2 {
		log.Fatalf("history %d: the checkpoint of the witness: %v", h.Number, err)
	}
	return seen
}

// comparable says why a log that is good otherwise cannot show that it has the tree of its witness: the first tile on
// the way from the root to the subtrees of that tree, from the left, that is missing or wrong.
func (h *history) comparable(t tlog.Tree) *finding {
	if h.Witness == nil {
		return nil
	}
	seen := h.cosigned()
	if seen.N >= t.N {
		return nil
	}
	r := tlog.TileHashReader(t, tileReader{h})
	for _, s := range edge(seen.N) {
		lowest := (bits.Len64(uint64(s.size)) - 1) / 8
		for level := 7; level >= lowest; level-- {
			n := s.start >> (8 * level)
			if (n+1)<<(8*level) > t.N {
				continue // A part of the right edge, which is good.
			}
			if _, err := r.ReadHashes([]int64{tlog.StoredHashIndex(8*level, n)}); err == nil {
				continue
			}
			tile := tlog.Tile{H: 8, L: level, N: n / 256, W: int(min(256, t.N>>(8*level)-n/256*256))}
			if f := h.form(tile); f != nil {
				return f
			}
			return &finding{"rewritten", tile.N * 256 << (8 * level)}
		}
	}
	return nil
}

// signed judges the log by its checkpoint and the one that was seen, which prove a fork of the same size alone.
func (h *history) signed(t tlog.Tree) *finding {
	if h.Seen == nil || h.Seen.Size != t.N || t.N == 0 {
		return nil
	}
	hashes := make([]tlog.Hash, len(h.Seen.Edge))
	for i, b := range h.Seen.Edge {
		copy(hashes[i][:], b)
	}
	if fold(hashes) == t.Hash {
		return nil
	}
	return &finding{"forked", 0}
}

func (h *history) judge() string {
	msg, ok := h.Files["checkpoint"]
	if !ok {
		return "deleted -"
	}
	t, _, err := open(msg, h.Log)
	var unverified *note.UnverifiedNoteError
	var invalid *note.InvalidSignatureError
	if errors.As(err, &unverified) || errors.As(err, &invalid) {
		return "unsigned -"
	}
	if err != nil {
		return "unreadable -"
	}
	var all []finding
	tree, signed := h.tree(t), h.signed(t)
	if tree != nil && tree.word == "forked" {
		signed = nil // The tiles say more exactly where.
	}
	for _, f := range []*finding{signed, tree, h.witness(t)} {
		if f != nil {
			all = append(all, *f)
		}
	}
	if len(all) == 0 {
		// It follows from something else that is wrong, so it counts if nothing else was found.
		if f := h.comparable(t); f != nil {
			return fmt.Sprintf("%s %d", f.word, f.entry)
		}
		return "ok"
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].entry < all[j].entry })
	return fmt.Sprintf("%s %d", all[0].word, all[0].entry)
}

func main() {
	log.SetFlags(0)
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	var verdicts []string
	var group sync.WaitGroup
	var lock sync.Mutex
	free := make(chan bool, runtime.NumCPU())
	for number := 0; ; number++ {
		line, err := in.ReadBytes('\n')
		if len(line) == 0 && err != nil {
			break
		}
		lock.Lock()
		verdicts = append(verdicts, "")
		lock.Unlock()
		free <- true
		group.Add(1)
		go func() {
			defer func() { <-free; group.Done() }()
			var h history
			if err := json.Unmarshal(line, &h); err != nil {
				log.Fatal(err)
			}
			if h.Number != number {
				log.Fatalf("history %d is in the place of %d", h.Number, number)
			}
			verdict := h.judge()
			lock.Lock()
			verdicts[number] = verdict
			lock.Unlock()
		}()
	}
	group.Wait()
	for _, v := range verdicts {
		fmt.Println(v)
	}
}
