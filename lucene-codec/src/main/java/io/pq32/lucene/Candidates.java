package io.pq32.lucene;

import java.util.Arrays;

/**
 * Ordinals found by their codes, the most promising ones first.
 *
 * @param ords ordinals, or nodes where that is said
 * @param sums of levels, one for each, descending
 */
record Candidates(int[] ords, short[] sums) {
  static final Candidates NONE = new Candidates(new int[0], new short[0]);

  int count() {
    return ords.length;
  }

  /** The first {@code count} of them. */
  Candidates first(int count) {
    return count == ords.length
        ? this
        : new Candidates(Arrays.copyOf(ords, count), Arrays.copyOf(sums, count));
  }
}
