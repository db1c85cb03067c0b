package io.pq32.lucene;

import org.apache.lucene.search.knn.KnnSearchStrategy;

/**
 * How thorough is one query? Trades recall against speed, query by query:
 *
 * <pre>{@code
 * new KnnFloatVectorQuery(field, vector, k, filter, new Pq32SearchStrategy(.05))
 * }</pre>
 *
 * <p>A search reads codes, nearest first, and scores candidates on their full vectors, most
 * promising first. The tolerance is the share of the k hits that it may be expected to miss because
 * it ends either early. A larger one than {@value #DEFAULT_TOLERANCE}, the default, is faster, a
 * smaller one is more thorough. At 0 all codes are read and all candidates listed are scored, and
 * lists grow until very many candidates in a row were in vain: several times the work. (Where a
 * filter has only its own codes read, or a graph is walked, the tolerance decides about the scoring
 * of candidates alone; where no codes are read at all, about nothing.)
 *
 * <p>What codes do not tell apart comes on top, and grows with the number of vectors: .01 to .02 of
 * the hits are not among the candidates that are listed first where 60,000 texts are searched, .05
 * where a million synthetic vectors are. A larger k lists more.
 *
 * <p>Whatever the tolerance, there are min(k, matches) hits, and their scores are exact. Segments
 * of other formats take this as the {@link KnnSearchStrategy.Hnsw} that it is. It holds inside
 * {@link KnnSearchStrategy.Seeded} as well; {@link org.apache.lucene.search.PatienceKnnVectorQuery}
 * puts a strategy of its own in its place, and the default holds.
 */
public final class Pq32SearchStrategy extends KnnSearchStrategy.Hnsw {
  /** The tolerance of searches that have no other. */
  public static final double DEFAULT_TOLERANCE = 0.02;

  private final double tolerance;

  /**
   * A tolerance, and Lucene's default for what other formats do with a filter.
   *
   * @param tolerance share of the k hits that a search may be expected to miss because it ends
   *     early, at least 0 and below 1
   */
  public Pq32SearchStrategy(double tolerance) {
    this(tolerance, DEFAULT_FILTERED_SEARCH_THRESHOLD);
  }

  /**
   * A tolerance, and what other formats are to do with a filter.
   *
   * @param tolerance share of the k hits that a search may be expected to miss because it ends
   *     early, at least 0 and below 1
   * @param filteredSearchThreshold as in {@link KnnSearchStrategy.Hnsw}, 0 to 100; pq32 needs none
   */
  public Pq32SearchStrategy(double tolerance, int filteredSearchThreshold) {
    super(filteredSearchThreshold);
    if (!(tolerance >= 0 && tolerance < 1)) {
      throw new IllegalArgumentException(
          "tolerance must be at least 0 and below 1; got " + tolerance);
    }
    this.tolerance = tolerance + 0.0; // of the two zeros the positive one
  }

  /** Share of the k hits that a search may be expected to miss because it ends early. */
  public double tolerance() {
    return tolerance;
  }

  @Override
  public boolean equals(Object other) {
    return super.equals(other) && tolerance == ((Pq32SearchStrategy) other).tolerance;
  }

  @Override
  public int hashCode() {
    return 31 * super.hashCode() + Double.hashCode(tolerance);
  }
}
