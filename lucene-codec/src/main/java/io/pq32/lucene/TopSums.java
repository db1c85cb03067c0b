package io.pq32.lucene;

import io.pq32.quantization.PqKernels;

/**
 * Which ordinals have the largest sums of levels? Keeps at least the {@code limit} best of them, if
 * so many were offered; among equal sums the one offered first wins.
 *
 * <p>What is offered is appended, and only when the arrays are full is the threshold raised and
 * what lies below dropped: two stores for a candidate, some nanoseconds for one that is dropped.
 * (Raising the threshold with every candidate lets a third fewer in, each of which costs five times
 * as much; a heap costs a logarithm.)
 */
final class TopSums {
  /** Room, in multiples of the limit: how seldom it is swept. */
  private static final int ROOM = 3;

  /** Room beyond the limit, at least. */
  private static final int MIN_SLACK = 64;

  private int limit;
  private int room; // of the arrays, which may be longer: what is kept depends on the limit alone
  private final int[] ords;
  private final short[] sums;
  private final int[] histogram; // all zero between calls
  private int count;
  private int threshold = -1;

  /**
   * @param subQuantizers of the codes, whose sums are at most that many highest levels
   */
  TopSums(int limit, int subQuantizers) {
    this.limit = limit;
    this.room = room(limit);
    this.histogram = new int[subQuantizers * PqKernels.MAX_LEVEL + 1];
    this.ords = new int[room];
    this.sums = new short[ords.length];
  }

  private static int room(int limit) {
    return (int) Math.min(1 << 30, Math.max((long) ROOM * limit, limit + MIN_SLACK));
  }

  /** Forgets everything, to be used again with a limit; false where it has not the room. */
  boolean reset(int newLimit) {
    if (room(newLimit) > ords.length) {
      return false;
    }
    limit = newLimit;
    room = room(newLimit);
    clear();
    return true;
  }

  /** Forgets everything, to be used again. */
  void clear() {
    count = 0;
    threshold = -1;
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
    if (count == room) {
      sweep();
    }
    if (sum > threshold) {
      ords[count] = ord;
      sums[count++] = sum;
    }
  }

  /**
   * Drops all but the {@code limit} best: afterwards only a sum above the least of them can enter.
   */
  private void sweep() {
    int greater = 0;
    int least = tally();
    while (greater + histogram[least] < limit) {
      greater += histogram[least--];
    }
    int equalsToKeep = limit - greater; // the first ones offered
    int kept = 0;
    for (int i = 0; i < count; i++) {
      short sum = sums[i];
      histogram[sum] = 0;
      // Without branches, of which a third would be mispredicted.
      ords[kept] = ords[i];
      sums[kept] = sum;
      int equal = sum == least ? 1 : 0;
      equalsToKeep -= equal;
      kept += (sum > least ? 1 : 0) | (equalsToKeep >= 0 ? equal : 0);
    }
    count = kept;
    threshold = least;
  }

  /** Counts the sums held; returns the largest. */
  private int tally() {
    int largest = 0;
    for (int i = 0; i < count; i++) {
      histogram[sums[i]]++;
      largest = Math.max(largest, sums[i]);
    }
    return largest;
  }

  /**
   * All that are held, the best first, equal sums in the order offered: the {@code limit} best and
   * maybe those that come next.
   */
  Candidates drain() {
    // Counts become places: of the largest sum the first, of each smaller one what follows.
    int place = 0;
    for (int sum = tally(); place < count; sum--) {
      int same = histogram[sum];
      if (same > 0) {
        histogram[sum] = place;
        place += same;
      }
    }
    int[] sortedOrds = new int[count];
    short[] sortedSums = new short[count];
    for (int i = 0; i < count; i++) {
      place = histogram[sums[i]]++;
      sortedOrds[place] = ords[i];
      sortedSums[place] = sums[i];
    }
    for (int i = 0; i < count; i++) {
      histogram[sums[i]] = 0;
    }
    return new Candidates(sortedOrds, sortedSums);
  }
}
