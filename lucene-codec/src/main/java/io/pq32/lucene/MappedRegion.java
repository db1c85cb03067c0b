package io.pq32.lucene;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.apache.lucene.store.IndexInput;
import org.apache.lucene.store.MemorySegmentAccessInput;

/**
 * One region of a data file as memory, mapped where the directory maps files, else read piece by
 * piece into a buffer. Shareable; a {@link Cursor} is not.
 */
final class MappedRegion {
  private final IndexInput slice;
  private final MemorySegment mapped; // null: read through a buffer

  MappedRegion(IndexInput in, String description, long offset, long length) throws IOException {
    this.slice = in.slice(description, offset, length);
    this.mapped =
        slice instanceof MemorySegmentAccessInput access
            ? access.segmentSliceOrNull(0, length)
            : null;
  }

  /** The whole region, or null where the directory does not map it as one piece. */
  MemorySegment mappedOrNull() {
    return mapped;
  }

  /** A new reader of pieces of at most {@code maxLength} bytes. */
  Cursor cursor(int maxLength) {
    return new Cursor(maxLength);
  }

  /** Hands out one piece of the region at a time. */
  final class Cursor {
    private final IndexInput in = mapped == null ? slice.clone() : null;
    private final byte[] buffer;
    private final MemorySegment bufferSegment;

    private Cursor(int maxLength) {
      buffer = mapped == null ? new byte[maxLength] : null;
      bufferSegment = buffer == null ? null : MemorySegment.ofArray(buffer);
    }

    /**
     * The memory that holds the piece. It starts at {@link #base} of the returned segment, which
     * stays valid until the next call.
     */
    MemorySegment read(long offset, int length) throws IOException {
      if (mapped != null) {
        return mapped;
      }
      in.seek(offset);
      in.readBytes(buffer, 0, length);
      return bufferSegment;
    }

    /** Where the piece read at {@code offset} starts in the segment that {@link #read} returned. */
    long base(long offset) {
      return mapped != null ? offset : 0;
    }
  }
}
