package io.pq32.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;

/** Builds an index per format, with the fields to filter on, and searches them under filters. */
final class FilterRun {
  private final Dataset data;
  private final FilterSet filters;
  private final RecallPlan plan;
  private final Path work;
  private final Progress.Factory progress;

  FilterRun(
      Dataset data, FilterSet filters, RecallPlan plan, Path work, Progress.Factory progress) {
    this.data = data;
    this.filters = filters;
    this.plan = plan;
    this.work = work;
    this.progress = progress;
  }

  List<FilterReport.FilteredSearch> run(RecallReport report, FilterReport filterReport)
      throws IOException, InterruptedException {
    try (BuiltIndexes indexes =
        BuiltIndexes.build(data, plan, filters.fields(), work, progress, report)) {
      List<FilterReport.FilteredSearch> all = new ArrayList<>();
      for (FilterCase filter : filters.cases()) {
        List<RecallReport.Search> searches = search(indexes, filter);
        all.addAll(filterReport.filter(filter, searches, plan));
      }
      filterReport.summary(all, plan.targets());
      return all;
    }
  }

  private List<RecallReport.Search> search(BuiltIndexes indexes, FilterCase filter)
      throws IOException, InterruptedException {
    for (Contender contender : plan.contenders()) {
      checkMatches(contender, indexes.lucene(contender), filter);
    }
    float[][] queries = filter.data().queries().toArray();
    return new SearchRounds(plan, progress)
        .run(
            "search " + filter.name(),
            filter.data(),
            (setting, query) ->
                indexes
                    .lucene(setting.contender())
                    .search(
                        queries[query],
                        setting.fanOut(),
                        setting.tolerance(),
                        plan.k(),
                        filter.filters().get(query).query()),
            (contender, hits) -> checkHits(contender, filter, hits));
  }

  private static void checkMatches(Contender contender, LuceneIndex index, FilterCase filter)
      throws IOException {
    for (FilterCase.Filter each : new LinkedHashSet<>(filter.filters())) {
      int expected = each.accepted().cardinality();
      int actual = index.count(each.query());
      if (actual != expected) {
        throw new IllegalStateException(
            "%s, filter %s: %d documents match, %d should"
                .formatted(contender, filter.name(), actual, expected));
      }
    }
  }

  /** Recall is counted by distance, which a hit that does not pass would improve. */
  private static void checkHits(Contender contender, FilterCase filter, int[][] hits) {
    for (int query = 0; query < hits.length; query++) {
      for (int id : hits[query]) {
        if (!filter.filters().get(query).accepted().get(id)) {
          throw new IllegalStateException(
              "%s, filter %s: hit %d of query %d does not pass"
                  .formatted(contender, filter.name(), id, query));
        }
      }
    }
  }
}
