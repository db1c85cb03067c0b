package io.pq32.lucene;

import org.apache.lucene.search.KnnCollector;
import org.apache.lucene.search.knn.KnnSearchStrategy;

/**
 * When may a search end? The one setting of a query, {@link Pq32SearchStrategy#tolerance}, as what
 * {@link CodeScan} and {@link Reranker} go by. None of them is more thorough for a larger
 * tolerance.
 *
 * @param share of the k hits that may be missed
 */
record Tolerance(double share) {
  private static final Tolerance DEFAULT = new Tolerance(Pq32SearchStrategy.DEFAULT_TOLERANCE);

  /** Accepted codes without a find that end a scan, by default. */
  private static final double PATIENCE = 4096;

  /** From this share on, what the source may have missed no longer counts. */
  private static final double GENEROUS = 0.08;

  /** Vectors scored before the scatter is judged, at least, up to the default and above it. */
  private static final int MIN_FIRST = 20;

  private static final int MIN_FIRST_IN_HASTE = 10;

  /** The tolerance of a collector's strategy. */
  static Tolerance of(KnnCollector collector) {
    KnnSearchStrategy strategy = collector.getSearchStrategy();
    while (strategy instanceof KnnSearchStrategy.Seeded seeded) {
      strategy = seeded.originalStrategy();
    }
    return strategy instanceof Pq32SearchStrategy ours ? new Tolerance(ours.tolerance()) : DEFAULT;
  }

  /**
   * The expected number of hits that reranking may leave among the candidates. No number is small
   * enough where nothing may be missed: chances are rounded to 0.
   *
   * <p>A source that has not looked at all codes has missed hits itself, {@link CodeScan} some .015
   * by default. So reranking is left with a part of the share that grows with it: a quarter, .005,
   * by default. (On text-768 and glyphs-784, where a scan of half the codes costs as much as
   * reranking, that way of sharing takes the least time for any recall from .93 to .98.)
   *
   * @param exhaustive whether the source has looked at all codes
   */
  double hits(int k, boolean exhaustive) {
    if (share == 0) {
      return Double.NEGATIVE_INFINITY;
    }
    return k * (exhaustive ? share : Math.min(share, share * share / GENEROUS));
  }

  /**
   * Accepted codes in a row without a find that end a scan; endless where nothing may be missed.
   */
  long patience() {
    return Math.round(PATIENCE * Math.sqrt(DEFAULT.share / share));
  }

  /** Vectors scored before it is judged how many hits are left, at least. */
  int first(int k) {
    return Math.max(hasty() ? MIN_FIRST_IN_HASTE : MIN_FIRST, k);
  }

  private boolean hasty() {
    return share > DEFAULT.share;
  }
}
