;; The inner loop of the relay: masking (RFC 6455 §5.3) at 16 bytes a step.
;; Memory is brought by the caller: reads and writes stay inside what it passes.
(module
  (import "frametap" "memory" (memory 1))

  ;; Copies `length` bytes from `source` to `target`, XORed with `change` (old key ^ new key), and returns 0 if every
  ;; unmasked byte (XORed with `key`) is below 0x80. Both keys are little-endian words: the first byte is the lowest.
  (func (export "remask") (param $source i32) (param $target i32) (param $length i32) (param $change i32) (param $key i32) (result i32)
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
  (func (export "highBits") (param $source i32) (param $length i32) (result i32)
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
    (i32.or (local.get $high) (i8x16.bitmask (local.get $seen)))))
