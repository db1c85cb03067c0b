package io.pq32.lucene;

import java.io.IOException;
import org.apache.lucene.codecs.CodecUtil;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.store.IndexInput;
import org.apache.lucene.store.IndexOutput;

/**
 * Do the regions of a data file lie as they are written: each at the first multiple of {@value
 * SegmentFile#ALIGNMENT} after the one before, the last one up to the footer? So a wrong offset,
 * and a wrong number that a length follows from, are found before anything is read with them.
 */
final class DataLayout {
  private final IndexInput data;
  private final long limit; // where the footer starts
  private long end; // of the last region

  /**
   * @param headerLength where the first region may start
   */
  DataLayout(IndexInput data, long headerLength) {
    this.data = data;
    this.limit = data.length() - CodecUtil.footerLength();
    this.end = headerLength;
  }

  /** Checks the region that follows. */
  void next(String field, String what, long offset, long length) throws CorruptIndexException {
    long start = IndexOutput.alignOffset(end, SegmentFile.ALIGNMENT);
    if (offset != start) {
      throw Corruption.of(field, "offset of " + what, start, offset, data);
    }
    if (length < 0 || length > limit - start) {
      throw Corruption.of(field, "length of " + what, "at most " + (limit - start), length, data);
    }
    end = start + length;
  }

  /** Checks that nothing else follows. */
  void finish() throws IOException {
    if (end != limit) {
      throw new CorruptIndexException("fields should end at " + limit + " and end at " + end, data);
    }
  }
}
