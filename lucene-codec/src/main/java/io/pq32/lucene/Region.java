package io.pq32.lucene;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.apache.lucene.store.IndexInput;
import org.apache.lucene.store.MemorySegmentAccessInput;

/**
 * One region of a data file as memory. Where the directory maps files it is the mapping itself;
 * else (files read through channels, encrypted or remote ones) it is copied once, at first use, to
 * memory outside the heap, which the garbage collector frees with the reader.
 */
final class Region {
  private static final int COPY_BUFFER = 1 << 16;

  private final IndexInput slice;
  private volatile MemorySegment segment;

  Region(IndexInput in, String description, long offset, long length) throws IOException {
    this.slice = in.slice(description, offset, length);
    if (slice instanceof MemorySegmentAccessInput access) {
      segment = access.segmentSliceOrNull(0, length); // null across two chunks of a mapping
    }
  }

  /** The region. Reading it after its file was closed throws {@link IllegalStateException}. */
  MemorySegment segment() throws IOException {
    MemorySegment result = segment;
    if (result == null) {
      synchronized (this) {
        result = segment;
        if (result == null) {
          segment = result = copy();
        }
      }
    }
    return result;
  }

  private MemorySegment copy() throws IOException {
    IndexInput in = slice.clone();
    in.seek(0);
    MemorySegment copy = Arena.ofAuto().allocate(in.length(), SegmentFile.ALIGNMENT);
    byte[] buffer = new byte[COPY_BUFFER];
    for (long position = 0; position < in.length(); ) {
      int length = (int) Math.min(buffer.length, in.length() - position);
      in.readBytes(buffer, 0, length);
      MemorySegment.copy(buffer, 0, copy, JAVA_BYTE, position, length);
      position += length;
    }
    return copy;
  }
}
