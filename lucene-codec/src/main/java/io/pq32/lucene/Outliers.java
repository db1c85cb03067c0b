package io.pq32.lucene;

import java.io.IOException;
import java.util.Arrays;
import org.apache.lucene.util.hnsw.NeighborQueue;

/**
 * Which vectors of a segment are too long for their codes to tell?
 *
 * <p>The larger of two inner products is often that of the longer vector, and a code's is at most
 * that of the longest point it can stand for: where twenty vectors were a hundred times as long as
 * 20,000 others, codes alone found six in ten of those that were hits. So every search by inner
 * product scores these vectors exactly. If there are many of them, the longest.
 */
final class Outliers {
  /** So many of any segment, and one of so many vectors of a large one, at most. */
  private static final int LEAST_LIMIT = 64;

  private static final int VECTORS_PER_OUTLIER = 1024;

  private final NeighborQueue longest; // the shortest of them at its top

  /**
   * @param size vectors of the segment
   */
  Outliers(int size) {
    this.longest = new NeighborQueue(limit(size), false);
  }

  /** Most outliers of a segment of so many vectors. */
  static int limit(int size) {
    return Math.min(size, Math.max(LEAST_LIMIT, size / VECTORS_PER_OUTLIER));
  }

  /**
   * Takes note of a vector if it is one.
   *
   * @param reach its length, as multiple of that of the longest point that a code stands for
   */
  void consider(int ord, double reach) {
    if (reach > 1) {
      longest.insertWithOverflow(ord, (float) reach);
    }
  }

  /** Their ordinals, ascending. */
  int[] ords() {
    int[] ords = longest.nodes();
    Arrays.sort(ords);
    return ords;
  }

  /** The candidates of a source that are none of some outliers, ascending ordinals. */
  static CandidateSource excluded(int[] outliers, CandidateSource source) {
    return outliers.length == 0 ? source : new Excluded(source, outliers);
  }

  private record Excluded(CandidateSource source, int[] outliers) implements CandidateSource {
    @Override
    public Candidates next() throws IOException {
      Candidates found;
      Candidates others;
      do {
        found = source.next();
        others = others(found);
      } while (others.count() == 0 && found.count() > 0);
      return others;
    }

    private Candidates others(Candidates found) {
      int[] ords = new int[found.count()];
      short[] sums = new short[ords.length];
      int count = 0;
      for (int i = 0; i < ords.length; i++) {
        if (Arrays.binarySearch(outliers, found.ords()[i]) < 0) {
          ords[count] = found.ords()[i];
          sums[count++] = found.sums()[i];
        }
      }
      return new Candidates(ords, sums).first(count);
    }

    @Override
    public boolean exhaustive() {
      return source.exhaustive();
    }
  }
}
