package io.pq32.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One run of all queries against one index, at one fan-out.
 *
 * @param seconds from the first query to the end of the last
 * @param nanos time of each query
 * @param hits base ids found: [query][rank]
 */
record SearchPass(double seconds, long[] nanos, int[][] hits) {

  double queriesPerSecond() {
    return nanos.length / seconds;
  }

  /** The search of one query. */
  interface Search {
    /** Base ids found, best first. */
    int[] run(int query) throws IOException;
  }

  /** Every thread of the pool takes the next query until none is left. */
  static SearchPass run(Search search, int queries, int threads, ExecutorService executor)
      throws IOException, InterruptedException {
    long[] nanos = new long[queries];
    int[][] hits = new int[queries][];
    AtomicInteger next = new AtomicInteger();
    long start = System.nanoTime();
    List<Future<?>> workers = new ArrayList<>();
    for (int t = 0; t < threads; t++) {
      workers.add(
          executor.submit(
              () -> {
                for (int q = next.getAndIncrement(); q < queries; q = next.getAndIncrement()) {
                  long before = System.nanoTime();
                  hits[q] = search.run(q);
                  nanos[q] = System.nanoTime() - before;
                }
                return null;
              }));
    }
    try {
      for (Future<?> worker : workers) {
        worker.get();
      }
    } catch (ExecutionException e) {
      throw new IOException("a search failed", e.getCause());
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    return new SearchPass(seconds, nanos, hits);
  }
}
