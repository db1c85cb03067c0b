package io.pq32.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Builds an index per format, then searches them all in turn. */
final class RecallRun {
  private final Dataset data;
  private final RecallPlan plan;
  private final Path work;
  private final Progress.Factory progress;

  RecallRun(Dataset data, RecallPlan plan, Path work, Progress.Factory progress) {
    this.data = data;
    this.plan = plan;
    this.work = work;
    this.progress = progress;
  }

  List<RecallReport.Search> run(RecallReport report) throws IOException, InterruptedException {
    try (BuiltIndexes indexes =
        BuiltIndexes.build(data, plan, DocumentFields.NONE, work, progress, report)) {
      float[][] queries = data.queries().toArray();
      List<RecallReport.Search> searches =
          new SearchRounds(plan, progress)
              .run(
                  "search",
                  data,
                  (contender, fanOut, query) ->
                      indexes.get(contender).search(queries[query], fanOut, plan.k()),
                  (_, _) -> {});
      report.searches(searches, plan.k());
      report.summary(searches, plan.targets());
      return searches;
    }
  }
}
