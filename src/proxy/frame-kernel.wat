;; The inner loop of the relay: masking (RFC 6455 §5.3) at 16 bytes a step.
;; Memory is brought by the caller: reads and writes stay inside what it passes.
(module
  (import "frametap" "memory" (memory 1))

  ;; Copies `length` bytes from `source` to `target`, XORed with `change` (old key ^ new key), and returns 0 if every
  ;; unmasked byte (XORed with `key`) is below 0x80. Both keys are little-endian words: the first byte is the lowest.
  (func $remask (export "remask") (param $source i32) (param $target i32) (param $length i32) (param $change i32) (param $key i32) (result i32)
    (local $end i32) (local $vectorEnd i32) (local $changes v128) (local $keys v128) (local $seen v128) (local $high i32) (local $byte i32) (local $v v128)
    (local.set $end (i32.add (local.get $source) (local.get $length)))
    (local.set $vectorEnd (i32.add (local.get $source) (i32.and (local.get $length) (i32.const -16))))
    (local.set $changes (i32x4.splat (local.get $change)))
    (local.set $keys (i32x4.splat (local.get $key)))
    (block $vectorsDone
      (loop $vectors
        (br_if $vectorsDone (i32.ge_u (local.get $source) (local.get $vectorEnd)))
        (local.set $v (v128.load align=1 (local.get $source)))
        (v128.store align=1 (local.get $target) (v128.xor (local.get $v) (local.get $changes)))
        (local.set $seen (v128.or (local.get $seen) (v128.xor (local.get $v) (local.get $keys))))
        (local.set $source (i32.add (local.get $source) (i32.const 16)))
        (local.set $target (i32.add (local.get $target) (i32.const 16)))
        (br $vectors)))
    (block $bytesDone
      (loop $bytes
        (br_if $bytesDone (i32.ge_u (local.get $source) (local.get $end)))
        (local.set $byte (i32.load8_u (local.get $source)))
        (i32.store8 (local.get $target) (i32.xor (local.get $byte) (local.get $change)))
        (local.set $high (i32.or (local.get $high) (i32.and (i32.xor (local.get $byte) (local.get $key)) (i32.const 0x80))))
        (local.set $change (i32.rotr (local.get $change) (i32.const 8)))
        (local.set $key (i32.rotr (local.get $key) (i32.const 8)))
        (local.set $source (i32.add (local.get $source) (i32.const 1)))
        (local.set $target (i32.add (local.get $target) (i32.const 1)))
        (br $bytes)))
    (i32.or (local.get $high) (i8x16.bitmask (local.get $seen))))

  ;; Returns 0 if all `length` bytes at `source` are below 0x80.
  (func $highBits (export "highBits") (param $source i32) (param $length i32) (result i32)
    (local $end i32) (local $vectorEnd i32) (local $seen v128) (local $high i32)
    (local.set $end (i32.add (local.get $source) (local.get $length)))
    (local.set $vectorEnd (i32.add (local.get $source) (i32.and (local.get $length) (i32.const -16))))
    (block $vectorsDone
      (loop $vectors
        (br_if $vectorsDone (i32.ge_u (local.get $source) (local.get $vectorEnd)))
        (local.set $seen (v128.or (local.get $seen) (v128.load align=1 (local.get $source))))
        (local.set $source (i32.add (local.get $source) (i32.const 16)))
        (br $vectors)))
    (block $bytesDone
      (loop $bytes
        (br_if $bytesDone (i32.ge_u (local.get $source) (local.get $end)))
        (local.set $high (i32.or (local.get $high) (i32.and (i32.load8_u (local.get $source)) (i32.const 0x80))))
        (local.set $source (i32.add (local.get $source) (i32.const 1)))
        (br $bytes)))
    (i32.or (local.get $high) (i8x16.bitmask (local.get $seen))))

  (func $swap (param $word i32) (result i32)
    (i32.or
      (i32.or (i32.shl (local.get $word) (i32.const 24)) (i32.shr_u (local.get $word) (i32.const 24)))
      (i32.or
        (i32.shl (i32.and (local.get $word) (i32.const 0xff00)) (i32.const 8))
        (i32.and (i32.shr_u (local.get $word) (i32.const 8)) (i32.const 0xff00)))))

  ;; Takes ordinary frames (RFC 6455 §5.2) one after another: whole in the chunk, whole messages, shortest length form,
  ;; first byte and mask bit as the table and the task allow, text in ASCII. Notes where each begins, in lines of 15
  ;; downwards from `lines` (capture/segment.ts), and, where keys are given, writes the frame itself under a fresh key.
  ;; Stops before the first frame that is not ordinary, and returns how many it took. The task, at $task:
  ;;   0 position, in and out · 4 end of the chunk · 8 target minus source · 12 keys, or 0
  ;;   16 table · 20 mask bit · 24 lines, a multiple of 64 · 28 most frames
  ;;   32 header bytes, out · 36 eight times the control frames, out
  (func (export "takeFrames") (param $task i32) (result i32)
    (local $position i32) (local $end i32) (local $shift i32) (local $keys i32) (local $table i32) (local $maskBit i32)
    (local $note i32) (local $taken i32) (local $most i32) (local $start i32) (local $headers i32) (local $controls i32)
    (local $byte0 i32) (local $byte1 i32) (local $kind i32) (local $length i32) (local $header i32) (local $available i32)
    (local $payload i32) (local $key i32) (local $fresh i32) (local $target i32)
    (local.set $position (i32.load (local.get $task)))
    (local.set $start (local.get $position))
    (local.set $end (i32.load offset=4 (local.get $task)))
    (local.set $shift (i32.load offset=8 (local.get $task)))
    (local.set $keys (i32.load offset=12 (local.get $task)))
    (local.set $table (i32.load offset=16 (local.get $task)))
    (local.set $maskBit (i32.load offset=20 (local.get $task)))
    (local.set $note (i32.sub (i32.load offset=24 (local.get $task)) (i32.const 8)))
    (local.set $most (i32.load offset=28 (local.get $task)))
    (block $stop
      (loop $frame
        (br_if $stop (i32.ge_u (local.get $taken) (local.get $most)))
        (local.set $available (i32.sub (local.get $end) (local.get $position)))
        (br_if $stop (i32.lt_u (local.get $available) (i32.const 2)))
        (local.set $byte0 (i32.load8_u (local.get $position)))
        (local.set $byte1 (i32.load8_u offset=1 (local.get $position)))
        (local.set $kind (i32.load8_u (i32.add (local.get $table) (local.get $byte0))))
        (br_if $stop (i32.eqz (local.get $kind)))
        (br_if $stop (i32.ne (i32.and (local.get $byte1) (i32.const 0x80)) (local.get $maskBit)))

        (local.set $length (i32.and (local.get $byte1) (i32.const 0x7f)))
        (local.set $header (i32.const 2))
        (if (i32.ge_u (local.get $length) (i32.const 126))
          (then
            ;; A control frame is never this long.
            (br_if $stop (i32.and (local.get $byte0) (i32.const 8)))
            (if (i32.eq (local.get $length) (i32.const 126))
              (then
                (br_if $stop (i32.lt_u (local.get $available) (i32.const 4)))
                (local.set $length
                  (i32.or
                    (i32.shl (i32.load8_u offset=2 (local.get $position)) (i32.const 8))
                    (i32.load8_u offset=3 (local.get $position))))
                (br_if $stop (i32.lt_u (local.get $length) (i32.const 126)))
                (local.set $header (i32.const 4)))
              (else
                (br_if $stop (i32.lt_u (local.get $available) (i32.const 10)))
                (br_if $stop (i32.load offset=2 (local.get $position)))
                (local.set $length (call $swap (i32.load offset=6 (local.get $position))))
                (br_if $stop (i32.lt_u (local.get $length) (i32.const 65536)))
                (local.set $header (i32.const 10))))))
        (local.set $header (i32.add (local.get $header) (i32.shr_u (local.get $maskBit) (i32.const 5))))
        (br_if $stop (i32.lt_u (local.get $available) (local.get $header)))
        (br_if $stop (i32.gt_u (local.get $length) (i32.sub (local.get $available) (local.get $header))))
        (local.set $payload (i32.add (local.get $position) (local.get $header)))

        (if (local.get $keys)
          (then
            (local.set $key (i32.load (i32.sub (local.get $payload) (i32.const 4))))
            (local.set $fresh (i32.load (i32.add (local.get $keys) (i32.shl (local.get $taken) (i32.const 2)))))
            (local.set $target (i32.add (local.get $payload) (local.get $shift)))
            (br_if $stop
              (i32.and
                (i32.ne
                  (call $remask
                    (local.get $payload) (local.get $target) (local.get $length)
                    (i32.xor (local.get $key) (local.get $fresh)) (local.get $key))
                  (i32.const 0))
                (i32.eq (local.get $kind) (i32.const 2))))
            (i32.store (i32.sub (local.get $target) (i32.const 4)) (local.get $fresh))
            (local.set $target (i32.add (local.get $position) (local.get $shift)))
            (i32.store16 (local.get $target) (i32.load16_u (local.get $position)))
            (if (i32.gt_u (local.get $header) (i32.const 6))
              (then
                (if (i32.eq (local.get $header) (i32.const 8))
                  (then (i32.store16 offset=2 (local.get $target) (i32.load16_u offset=2 (local.get $position))))
                  (else (i64.store offset=2 (local.get $target) (i64.load offset=2 (local.get $position))))))))
          (else
            (if (i32.eq (local.get $kind) (i32.const 2))
              (then (br_if $stop (call $highBits (local.get $payload) (local.get $length)))))))

        (i32.store (local.get $note) (i32.sub (local.get $position) (local.get $start)))
        (local.set $note (i32.sub (local.get $note) (i32.const 4)))
        ;; The last word of a line is not for places.
        (if (i32.eq (i32.and (local.get $note) (i32.const 63)) (i32.const 60))
          (then (local.set $note (i32.sub (local.get $note) (i32.const 4)))))
        (local.set $headers (i32.add (local.get $headers) (local.get $header)))
        (local.set $controls (i32.add (local.get $controls) (i32.and (local.get $byte0) (i32.const 8))))
        (local.set $position (i32.add (local.get $payload) (local.get $length)))
        (local.set $taken (i32.add (local.get $taken) (i32.const 1)))
        (br $frame)))
    (i32.store (local.get $task) (local.get $position))
    (i32.store offset=32 (local.get $task) (local.get $headers))
    (i32.store offset=36 (local.get $task) (local.get $controls))
    (local.get $taken))
)
