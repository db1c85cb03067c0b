package io.pq32.benchmarks;

import java.util.BitSet;
import java.util.List;
import org.apache.lucene.search.Query;

/**
 * A filter that is measured, with the queries it is measured with.
 *
 * @param correlated whether passing it has to do with the vector
 * @param data the queries, and their true neighbors among the vectors that pass
 * @param filters that of every query; the same for all, or one that depends on the query
 */
record FilterCase(String name, boolean correlated, Dataset data, List<Filter> filters) {
  /**
   * A filter as Lucene is asked for it.
   *
   * @param accepted base ids that pass
   */
  record Filter(Query query, BitSet accepted) {
    /** The vectors that pass, as a set of their own, and the ids they have in the whole. */
    int[] ids() {
      return accepted.stream().toArray();
    }
  }

  /** Share of the vectors that pass, on average over the queries. */
  double selectivity() {
    return filters.stream().mapToInt(filter -> filter.accepted().cardinality()).average().orElse(0)
        / data.base().size();
  }

  /** The exact neighbors of the queries among the vectors that pass. */
  static GroundTruth truth(
      Dataset data, VectorSet queries, Filter filter, int depth, Progress.Factory progress)
      throws InterruptedException {
    int[] ids = filter.ids();
    VectorSet passing = data.base().select(ids);
    long comparisons = (long) passing.size() * queries.size();
    GroundTruth truth;
    try (Progress task = progress.start("exact neighbors", comparisons)) {
      truth = BruteForce.compute(passing, queries, data.similarity(), depth, task);
    }
    for (int[] row : truth.neighbors()) {
      for (int rank = 0; rank < row.length; rank++) {
        row[rank] = ids[row[rank]];
      }
    }
    return truth;
  }
}
