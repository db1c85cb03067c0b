package io.pq32.benchmarks;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** Which vectors does the command line ask for? Those of files, or generated ones. */
final class DataOptions {
  private static final int MIN_DIMENSION = 2;

  /** What pq32 takes, and Lucene's formats when asked. */
  private static final int MAX_DIMENSION = 4_096;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description =
          "folder with base.*, queries.*, perhaps gt.ivecs and stats.json (for its 'metric');"
              + " vectors as .fvecs, .bvecs or .u8.bvecs (unit(u - 128)), plain or .gz")
  private Path dataFolder;

  @Option(names = "--base", paramLabel = "FILE", description = "vectors, instead of --data")
  private Path base;

  @Option(names = "--queries", paramLabel = "FILE", description = "queries, instead of --data")
  private Path queries;

  @Option(
      names = "--truth",
      paramLabel = "FILE",
      description = "exact neighbors (.ivecs); computed if not given")
  private Path truth;

  @Option(
      names = "--metric",
      paramLabel = "NAME",
      description = "l2, dot, cosine or mip; default: that of stats.json")
  private String metric;

  @Option(
      names = "--synthetic",
      paramLabel = "N",
      showDefaultValue = CommandLine.Help.Visibility.NEVER,
      description =
          "generate so many vectors, distributed as those of a text encoder, metric dot; the"
              + " beginning of a larger set is the smaller one")
  private Integer synthetic;

  @Option(
      names = "--synthetic-queries",
      paramLabel = "N",
      description = "queries generated with --synthetic")
  private int syntheticQueries = 1_000;

  @Option(names = "--dimension", paramLabel = "D", description = "of what --synthetic generates")
  private int dimension = 768;

  @Option(
      names = "--limit-base",
      paramLabel = "N",
      showDefaultValue = CommandLine.Help.Visibility.NEVER,
      description = "index a random sample of so many vectors")
  private int limitBase = Integer.MAX_VALUE;

  @Option(
      names = "--limit-queries",
      paramLabel = "N",
      showDefaultValue = CommandLine.Help.Visibility.NEVER,
      description = "run a random sample of so many queries")
  private int limitQueries = Integer.MAX_VALUE;

  @Option(names = "--seed", paramLabel = "N", description = "of the samples and of --synthetic")
  private long seed = 42;

  @Option(
      names = "--cache",
      paramLabel = "DIR",
      description = "where computed neighbors are kept; default: ${DEFAULT-VALUE}")
  private Path cache =
      Path.of(
          System.getProperty("java.io.tmpdir"),
          "pq32-benchmarks-" + System.getProperty("user.name"));

  /** Rejects what does not go together, before anything is done. */
  void check() {
    RecallCommand.atLeast("--limit-base", limitBase, 1);
    RecallCommand.atLeast("--limit-queries", limitQueries, 1);
    if (synthetic == null) {
      return;
    }
    RecallCommand.atLeast("--synthetic", synthetic, 1);
    RecallCommand.atLeast("--synthetic-queries", syntheticQueries, 1);
    if (dimension < MIN_DIMENSION || dimension > MAX_DIMENSION) {
      throw new BadInputException(
          "--dimension must be between %d and %d; got %d"
              .formatted(MIN_DIMENSION, MAX_DIMENSION, dimension));
    }
    if (dataFolder != null || base != null || queries != null || truth != null || metric != null) {
      throw new BadInputException(
          "--synthetic excludes --data, --base, --queries, --truth and --metric");
    }
  }

  /** The folder of the data, if it comes from one. */
  Optional<Path> folder() {
    return Optional.ofNullable(dataFolder);
  }

  /** Whether not all vectors are asked for. */
  boolean samplesBase() {
    return limitBase != Integer.MAX_VALUE;
  }

  /** What decides every random choice. */
  long seed() {
    return seed;
  }

  /** Reads or generates the data; {@code k} neighbors will be asked for. */
  Dataset load(int k, Path scratch, Arena arena, Progress.Factory progress)
      throws IOException, InterruptedException {
    var selection = new Dataset.Selection(limitBase, limitQueries, seed, k);
    return synthetic == null
        ? Dataset.load(files(), selection, scratch, cache, arena, progress)
        : Dataset.generate(
            new Dataset.Synthetic(synthetic, syntheticQueries, dimension),
            selection,
            scratch,
            cache,
            arena,
            progress);
  }

  private DatasetFiles files() throws IOException {
    Optional<Similarity> similarity = Optional.ofNullable(metric).map(Similarity::named);
    if (dataFolder != null) {
      if (base != null || queries != null || truth != null) {
        throw new BadInputException("--data excludes --base, --queries and --truth");
      }
      return DatasetFiles.in(dataFolder, similarity);
    }
    if (base == null || queries == null || similarity.isEmpty()) {
      throw new BadInputException(
          "give --data DIR, or --base FILE, --queries FILE and --metric NAME, or --synthetic N");
    }
    return new DatasetFiles(
        base.getFileName().toString(), base, queries, Optional.ofNullable(truth), similarity.get());
  }
}
