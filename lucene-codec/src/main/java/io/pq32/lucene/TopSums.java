package io.pq32.lucene;

import io.pq32.quantization.PqKernels;
import java.util.Arrays;

/**
 * Which ordinals have the largest sums of levels? Keeps {@code limit} of them; among equal sums the
 * one offered first wins.
 *
 * <p>A histogram of the sums kept says at once how far the threshold may rise, so a candidate costs
 * a few instructions and the array is swept only when it is full. (A heap costs a logarithm per
 * candidate, and a bound that is raised only when it is full lets more candidates in.)
 */
final class TopSums {
  /** Room beyond the limit: at least one block must fit before a sweep. */
  private static final int MIN_SLACK = 256;

  private int limit;
  private final int[] ords;
  private final short[] sums;
  private final int[] histogram; // of the sums held
  private int count; // entries held, those at or below the threshold included
  private int above; // entries above the threshold
  private int threshold = -1;
  private int largest; // sum ever held
  private int smallest = Integer.MAX_VALUE; // sum held: no count of the histogram is below

  /**
   * @param subQuantizers of the codes, whose sums are at most that many highest levels
   */
  TopSums(int limit, int subQuantizers) {
    this.limit = limit;
    this.histogram = new int[subQuantizers * PqKernels.MAX_LEVEL + 1];
    this.ords = new int[room(limit)];
    this.sums = new short[ords.length];
  }

  private static int room(int limit) {
    return limit + Math.max(MIN_SLACK, limit / 2);
  }

  /** Forgets everything, to be used again with a limit; false where it has not the room. */
  boolean reset(int newLimit) {
    if (room(newLimit) > ords.length) {
      return false;
    }
    limit = newLimit;
    clear();
    return true;
  }

  /** Forgets everything, to be used again. */
  void clear() {
    Arrays.fill(histogram, Math.min(smallest, largest), largest + 1, 0);
    count = 0;
    above = 0;
    threshold = -1;
    largest = 0;
    smallest = Integer.MAX_VALUE;
  }

  /** Only a larger sum can still enter. */
  int threshold() {
    return threshold;
  }

  /** How many of the best are held. */
  int count() {
    return Math.min(count, limit);
  }

  /** Offers an ordinal. */
  void offer(int ord, short sum) {
    if (sum <= threshold) {
      return;
    }
    if (count == ords.length) {
      sweep();
      if (sum <= threshold) {
        return;
      }
    }
    ords[count] = ord;
    sums[count++] = sum;
    histogram[sum]++;
    largest = Math.max(largest, sum);
    smallest = Math.min(smallest, sum);
    above++;
    if (above >= limit) {
      threshold = Math.max(threshold, smallest - 1);
    }
    while (above - histogram[threshold + 1] >= limit) {
      above -= histogram[++threshold];
    }
  }

  /**
   * Drops all but the {@code limit} best: afterwards only a sum above the least of them can enter.
   */
  private void sweep() {
    int greater = 0;
    int least = largest;
    while (greater + histogram[least] < limit) {
      greater += histogram[least--];
    }
    int equalsToKeep = limit - greater; // the first ones offered
    histogram[least] = equalsToKeep;
    Arrays.fill(histogram, smallest, least, 0);
    smallest = least;
    int kept = 0;
    for (int i = 0; i < count; i++) {
      if (sums[i] > least || (sums[i] == least && equalsToKeep-- > 0)) {
        ords[kept] = ords[i];
        sums[kept++] = sums[i];
      }
    }
    count = kept;
    above = greater;
    threshold = least;
  }

  /** The best, equal sums in the order offered; as many as were offered, up to the limit. */
  Candidates drain() {
    int total = 0;
    int least = largest + 1;
    while (total < limit && least > smallest) {
      total += histogram[--least];
    }
    int[] starts = new int[largest - least + 1]; // of the sums from the largest down
    for (int i = 1; i < starts.length; i++) {
      starts[i] = starts[i - 1] + histogram[largest - i + 1];
    }
    int[] sortedOrds = new int[total];
    short[] sortedSums = new short[total];
    for (int i = 0; i < count; i++) {
      if (sums[i] >= least) {
        int place = starts[largest - sums[i]]++;
        sortedOrds[place] = ords[i];
        sortedSums[place] = sums[i];
      }
    }
    return new Candidates(sortedOrds, sortedSums).first(Math.min(total, limit));
  }
}
