package io.pq32.benchmarks;

import java.io.IOException;
import picocli.CommandLine.Option;

/** Which filters does the command line ask for? */
final class FilterOptions {
  @Option(
      names = "--filters",
      description =
          "search under every filter of the folder's filters.json, which are on fields of its"
              + " meta.jsonl or docs.jsonl, instead of without; formats of Lucene only. Filters are"
              + " ordinary queries on indexed fields, terms and ranges of numbers, with Lucene's"
              + " cache of queries at its defaults, and every knn query has Elasticsearch's"
              + " threshold for filtered walks, 60 %%")
  private boolean fromFile;

  @Option(
      names = "--synthetic-filters",
      description =
          "the same with random filters that .01, .1, 1, 5, 20, 50 and 99 %% of the vectors pass,"
              + " and one that accepts the half that is far from the query, or rather from that of"
              + " 16 random vectors which is nearest to it")
  private boolean synthetic;

  boolean given() {
    return fromFile || synthetic;
  }

  /** Rejects what does not go together, before anything is done. */
  void check(RecallPlan plan, DataOptions data) {
    if (fromFile && data.folder().isEmpty()) {
      throw new BadInputException("--filters needs --data DIR, where filters.json is");
    }
    for (Contender contender : plan.contenders()) {
      if (given() && !contender.engine().hasFields()) {
        throw new BadInputException(contender + ": has no fields to filter on");
      }
    }
  }

  /**
   * Reads or makes the filters.
   *
   * @param k neighbors that will be asked for
   */
  FilterSet load(DataOptions options, Dataset data, int k, Progress.Factory progress)
      throws IOException, InterruptedException {
    FilterSet filters =
        fromFile
            ? FileFilters.read(options.folder().orElseThrow(), data, k, progress)
            : FilterSet.EMPTY;
    return synthetic
        ? filters.and(SyntheticFilters.of(data, k, options.seed(), progress))
        : filters;
  }
}
