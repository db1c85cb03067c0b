package io.pq32.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.DoubleStream;
import java.util.stream.LongStream;

/**
 * How good and how fast is every format at every setting? Every pass goes round all formats before
 * the next fan-out, and round all settings before the next repeat, so that a slow moment of the
 * machine hits all alike.
 */
final class SearchRounds {
  /** The search of one query. */
  interface Search {
    /** Base ids found, best first. */
    int[] run(Setting setting, int query) throws IOException;
  }

  /** What is done with the hits of a format before they are judged: [query][rank]. */
  interface Check {
    void accept(Contender contender, int[][] hits);
  }

  private final RecallPlan plan;
  private final Progress.Factory progress;

  SearchRounds(RecallPlan plan, Progress.Factory progress) {
    this.plan = plan;
    this.progress = progress;
  }

  List<RecallReport.Search> run(String task, Dataset data, Search search, Check check)
      throws IOException, InterruptedException {
    int queries = data.queries().size();
    Map<Setting, List<SearchPass>> passes = new LinkedHashMap<>();
    List<Setting> settings = Setting.round(plan);
    for (Contender contender : plan.contenders()) {
      for (Setting setting : settings) {
        if (setting.contender() == contender) {
          passes.put(setting, new ArrayList<>());
        }
      }
    }
    int rounds = plan.warmUps() + plan.repeats();
    try (Progress searching = progress.start(task, (long) rounds * passes.size() * queries);
        ExecutorService executor = Executors.newFixedThreadPool(plan.threads())) {
      for (int round = 0; round < rounds; round++) {
        for (Setting setting : settings) {
          SearchPass pass =
              SearchPass.run(
                  query -> search.run(setting, query), queries, plan.threads(), executor);
          if (round >= plan.warmUps()) {
            passes.get(setting).add(pass);
          }
          searching.step(queries);
        }
      }
    }
    RecallCounter recall = new RecallCounter(data, plan.k());
    List<RecallReport.Search> searches = new ArrayList<>();
    passes.forEach(
        (setting, repeats) -> {
          check.accept(setting.contender(), repeats.getLast().hits());
          searches.add(summarize(setting, repeats, recall));
        });
    return searches;
  }

  private static RecallReport.Search summarize(
      Setting setting, List<SearchPass> repeats, RecallCounter recall) {
    double[] speeds = repeats.stream().mapToDouble(SearchPass::queriesPerSecond).sorted().toArray();
    long[] nanos =
        repeats.stream().flatMapToLong(pass -> LongStream.of(pass.nanos())).sorted().toArray();
    return new RecallReport.Search(
        setting.contender().toString(),
        setting.fanOut(),
        setting.tolerance().isPresent() ? (Double) setting.tolerance().getAsDouble() : null,
        recall.recall(repeats.getLast().hits()),
        median(speeds),
        DoubleStream.of(speeds).max().getAsDouble(),
        percentile(nanos, 50) / 1e6,
        percentile(nanos, 99) / 1e6);
  }

  private static double median(double[] sorted) {
    int half = sorted.length / 2;
    return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }

  /** Nearest rank: the smallest value that so many percent do not exceed. */
  static long percentile(long[] sorted, int percent) {
    return sorted[Math.ceilDiv(sorted.length * percent, 100) - 1];
  }
}
