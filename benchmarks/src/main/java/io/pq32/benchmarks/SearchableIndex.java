package io.pq32.benchmarks;

import java.io.Closeable;
import java.io.IOException;
import java.util.Map;

/** What is asked of an index that is measured. Safe for use by several threads. */
interface SearchableIndex extends Closeable {
  /** Base ids of the best k of {@code fanOut} candidates, best first. */
  int[] search(float[] query, int fanOut, int k) throws IOException;

  int segments();

  /** Bytes of everything a vector costs, by kind. */
  Map<String, Long> bytes() throws IOException;

  /** Those of the {@link #bytes()} that a search works on. */
  long hotBytes() throws IOException;
}
