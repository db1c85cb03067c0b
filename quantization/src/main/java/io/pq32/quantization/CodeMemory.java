package io.pq32.quantization;

import java.lang.foreign.MemorySegment;

/**
 * Which class of memory segment do codes come in?
 *
 * <p>The compiler turns a read from a segment into one instruction only where it knows the
 * segment's class. What it observes inside the JDK's own methods does not tell: every reader of the
 * process, Lucene among them, has left its classes there, and with three of them a scan takes 3.4
 * ns per code instead of 1.5, a random code 30 ns instead of 5. What it observes at a cast in a
 * method of ours does: so each kind has a method of its own, which takes the segment as an {@link
 * Object} and casts it. Sharing the loop behind those casts would depend on inlining; hidden copies
 * of one class did as well, but a server ended at the first of them.
 */
enum CodeMemory {
  /** A mapped file: what is searched. */
  MAPPED,
  /** Memory outside the heap: what is being written. */
  NATIVE,
  /** Arrays: parts of what is being written. */
  HEAP;

  static CodeMemory of(MemorySegment codes) {
    if (codes.isMapped()) {
      return MAPPED;
    }
    return codes.isNative() ? NATIVE : HEAP;
  }
}
