package io.pq32.benchmarks;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.DoubleStream;
import java.util.stream.LongStream;
import org.apache.lucene.util.IOUtils;

/** Builds an index per format, then searches them all in turn. */
final class RecallRun {
  /**
   * Vectors of an index that is built before each that counts, so that the first format does not
   * pay for the compiler: enough for every format to train and to make a graph.
   */
  private static final int WARM_UP_VECTORS = 5_000;

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
    Map<Contender, SearchableIndex> indexes = new LinkedHashMap<>();
    try (Closeable _ = () -> IOUtils.close(indexes.values())) {
      List<RecallReport.Build> builds = new ArrayList<>();
      for (Contender contender : plan.contenders()) {
        Path warmUp = work.resolve("warm-up");
        VectorSet sample = data.base().sample(WARM_UP_VECTORS, 0);
        build(contender, sample, warmUp, "warm up " + contender).index().close();
        IOUtils.rm(warmUp);
        Path folder = work.resolve(contender.toString());
        Engine.Built built = build(contender, data.base(), folder, "index " + contender);
        SearchableIndex index = built.index();
        indexes.put(contender, index);
        if (index.segments() != plan.build().segments()) {
          throw new BadInputException(
              "%s: --segments %d gave %d segments; IndexWriter flushes by itself at about 2 GB"
                  .formatted(contender, plan.build().segments(), index.segments()));
        }
        builds.add(report(contender, built));
      }
      report.builds(builds);

      List<RecallReport.Search> searches = search(indexes);
      report.searches(searches, plan.k());
      report.summary(searches, plan.targets());
      return searches;
    }
  }

  private Engine.Built build(Contender contender, VectorSet vectors, Path folder, String task)
      throws IOException {
    return contender
        .engine()
        .build(vectors, data.similarity(), plan.build(), folder, task, progress);
  }

  private RecallReport.Build report(Contender contender, Engine.Built built) throws IOException {
    BuildTime time = built.time();
    SearchableIndex index = built.index();
    double vectors = data.base().size();
    Map<String, Long> bytes = index.bytes();
    return new RecallReport.Build(
        contender.toString(),
        time.indexSeconds(),
        time.mergeSeconds(),
        time.totalSeconds(),
        vectors / time.totalSeconds(),
        index.segments(),
        bytes.values().stream().mapToLong(Long::longValue).sum() / vectors,
        index.hotBytes() / vectors,
        bytes);
  }

  private record Setting(Contender contender, int fanOut) {}

  /**
   * Every pass goes round all formats before the next fan-out, and round all fan-outs before the
   * next repeat, so that a slow moment of the machine hits all alike.
   */
  private List<RecallReport.Search> search(Map<Contender, SearchableIndex> indexes)
      throws IOException, InterruptedException {
    float[][] queries = new float[data.queries().size()][];
    for (int q = 0; q < queries.length; q++) {
      queries[q] = data.queries().get(q);
    }
    Map<Setting, List<SearchPass>> passes = new LinkedHashMap<>();
    for (Contender contender : plan.contenders()) {
      for (int fanOut : plan.fanOuts()) {
        passes.put(new Setting(contender, fanOut), new ArrayList<>());
      }
    }
    int rounds = plan.warmUps() + plan.repeats();
    try (Progress task = progress.start("search", (long) rounds * passes.size() * queries.length);
        ExecutorService executor = Executors.newFixedThreadPool(plan.threads())) {
      for (int round = 0; round < rounds; round++) {
        for (int fanOut : plan.fanOuts()) {
          for (Contender contender : plan.contenders()) {
            SearchPass pass =
                SearchPass.run(
                    indexes.get(contender), queries, fanOut, plan.k(), plan.threads(), executor);
            if (round >= plan.warmUps()) {
              passes.get(new Setting(contender, fanOut)).add(pass);
            }
            task.step(queries.length);
          }
        }
      }
    }
    RecallCounter recall = new RecallCounter(data, plan.k());
    List<RecallReport.Search> searches = new ArrayList<>();
    passes.forEach((setting, repeats) -> searches.add(summarize(setting, repeats, recall)));
    return searches;
  }

  private static RecallReport.Search summarize(
      Setting setting, List<SearchPass> repeats, RecallCounter recall) {
    double[] speeds = repeats.stream().mapToDouble(SearchPass::queriesPerSecond).sorted().toArray();
    long[] nanos =
        repeats.stream().flatMapToLong(pass -> LongStream.of(pass.nanos())).sorted().toArray();
    return new RecallReport.Search(
        setting.contender.toString(),
        setting.fanOut,
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
