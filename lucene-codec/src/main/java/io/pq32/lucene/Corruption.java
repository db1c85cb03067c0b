package io.pq32.lucene;

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
}
