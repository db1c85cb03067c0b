package io.pq32.benchmarks;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.lucene.util.IOUtils;

/** An index per format, all of the same vectors. */
final class BuiltIndexes implements Closeable {
  /**
   * Vectors of an index that is built before each that counts, so that the first format does not
   * pay for the compiler: enough for every format to train and to make a graph.
   */
  private static final int WARM_UP_VECTORS = 5_000;

  private final Dataset data;
  private final RecallPlan plan;
  private final DocumentFields fields;
  private final Path work;
  private final Progress.Factory progress;
  private final Map<Contender, SearchableIndex> indexes = new LinkedHashMap<>();

  private BuiltIndexes(
      Dataset data, RecallPlan plan, DocumentFields fields, Path work, Progress.Factory progress) {
    this.data = data;
    this.plan = plan;
    this.fields = fields;
    this.work = work;
    this.progress = progress;
  }

  /** Builds and opens them one after the other, and reports what they cost. */
  static BuiltIndexes build(
      Dataset data,
      RecallPlan plan,
      DocumentFields fields,
      Path work,
      Progress.Factory progress,
      RecallReport report)
      throws IOException {
    BuiltIndexes built = new BuiltIndexes(data, plan, fields, work, progress);
    try {
      List<RecallReport.Build> builds = new ArrayList<>();
      for (Contender contender : plan.contenders()) {
        builds.add(built.build(contender));
      }
      report.builds(builds);
      return built;
    } catch (Throwable t) {
      IOUtils.closeWhileHandlingException(built);
      throw t;
    }
  }

  private RecallReport.Build build(Contender contender) throws IOException {
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
    return figures(contender, built);
  }

  private Engine.Built build(Contender contender, VectorSet vectors, Path folder, String task)
      throws IOException {
    return contender
        .engine()
        .build(vectors, data.similarity(), fields, plan.build(), folder, task, progress);
  }

  private RecallReport.Build figures(Contender contender, Engine.Built built) throws IOException {
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

  SearchableIndex get(Contender contender) {
    return indexes.get(contender);
  }

  /** The index of a contender that is one of Lucene's formats. */
  LuceneIndex lucene(Contender contender) {
    return (LuceneIndex) indexes.get(contender);
  }

  @Override
  public void close() throws IOException {
    IOUtils.close(indexes.values());
  }
}
