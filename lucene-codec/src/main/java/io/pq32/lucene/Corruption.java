package io.pq32.lucene;

import org.apache.lucene.codecs.CodecUtil;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.store.IndexInput;

/** Says what is wrong with a file: field, what was expected, what was found. */
final class Corruption {
  private Corruption() {}

  static CorruptIndexException of(
      String field, String what, Object expected, Object actual, IndexInput in) {
    return new CorruptIndexException(
        "field \"" + field + "\": " + what + " should be " + expected + " and is " + actual, in);
  }

  /** Checks that a region lies between the header and the footer of a data file. */
  static void checkRegion(String field, String what, long offset, long length, IndexInput data)
      throws CorruptIndexException {
    long limit = data.length() - CodecUtil.footerLength();
    if (offset < 0 || length < 0 || offset > limit || length > limit - offset) {
      throw of(field, what + " region", "within 0 to " + limit, offset + " plus " + length, data);
    }
  }
}
