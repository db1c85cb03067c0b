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
                  (setting, query) -> search(indexes, setting, queries[query]),
                  (_, _) -> {});
      report.searches(searches, plan.k());
      report.summary(searches, plan.targets());
      return searches;
    }
  }

  private int[] search(BuiltIndexes indexes, Setting setting, float[] query) throws IOException {
    Contender contender = setting.contender();
    return contender.hasTolerance()
        ? indexes.lucene(contender).search(query, setting.fanOut(), setting.tolerance(), plan.k())
        : indexes.get(contender).search(query, setting.fanOut(), plan.k());
  }
}
