package io.pq32.benchmarks;

import io.pq32.lucene.Pq32HnswConfig;
import io.pq32.lucene.Pq32SearchStrategy;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import org.apache.lucene.util.IOUtils;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Measures recall against speed, build time and size of vectors formats on one data set. */
@Command(
    name = "recall",
    sortOptions = false,
    showDefaultValues = true,
    usageHelpAutoWidth = true,
    description =
        "Builds an index per format and prints recall against speed, build time and bytes per"
            + " vector.")
final class RecallCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Mixin private DataOptions dataOptions;

  @Mixin private FilterOptions filterOptions;

  @Option(
      names = "--hybrid",
      description =
          "instead of speed, tell how well BM25 over the texts of the folder's docs.jsonl, vector"
              + " search and reciprocal-rank fusion of the two rank what queries.jsonl names as"
              + " relevant; formats of Lucene only")
  private boolean hybrid;

  @Option(
      names = "--formats",
      split = ",",
      paramLabel = "NAME",
      defaultValue = "pq32,float,int8,int4,1bit",
      description = "any of pq32, pq32-graph, pq32-scan, float, int8, int4, 1bit, jvector")
  private List<String> formats;

  @Option(
      names = "--peer-jvector",
      description =
          "add jvector to the formats: codes of --bytes-per-vector and a graph, all in memory,"
              + " built on one thread; needs a heap of twice the vectors")
  private boolean peerJVector;

  @Option(
      names = "--fanouts",
      split = ",",
      paramLabel = "N",
      defaultValue = "10,20,50,100,200,400",
      description = "candidates asked of the index, of which the best k count")
  private List<Integer> fanOuts;

  // Texts, as an empty one is none at all.
  @Option(
      names = "--tolerances",
      split = ",",
      paramLabel = "R",
      defaultValue = "0.05,0.1",
      description =
          "shares of the hits that pq32 may miss because it ends early, at each of which it is"
              + " searched as well, for the fewest candidates; \"\" for none")
  private List<String> tolerances;

  @Option(names = "--k", paramLabel = "N", description = "hits that count")
  private int k = 10;

  @Option(
      names = "--targets",
      split = ",",
      paramLabel = "R",
      defaultValue = "0.95,0.99",
      description = "recalls at which speeds are compared")
  private List<Double> targets;

  @Option(names = "--max-conn", paramLabel = "N", description = "links per node, all formats")
  private int maxConn = Pq32HnswConfig.DEFAULT.maxConn();

  @Option(
      names = "--beam-width",
      paramLabel = "N",
      description = "candidates while inserting, all formats")
  private int beamWidth = Pq32HnswConfig.DEFAULT.beamWidth();

  @Option(names = "--bytes-per-vector", paramLabel = "N", description = "code bytes of pq32")
  private int bytesPerVector = Pq32HnswConfig.DEFAULT.bytesPerVector();

  @Option(
      names = "--graph-threshold",
      paramLabel = "N",
      description = "vectors from which a segment of pq32 gets a graph")
  private int graphThreshold = Pq32HnswConfig.DEFAULT.graphThreshold();

  @Option(
      names = "--segments",
      paramLabel = "N",
      description = "1: force-merge to one; more: so many equal flushes, no merges")
  private int segments = 1;

  // Elasticsearch gives indexing 10 % of the heap; this is what a node with 1 to 2 GB would give.
  @Option(names = "--ram-buffer", paramLabel = "MB", description = "buffer of IndexWriter")
  private int ramBufferMb = 128;

  @Option(names = "--threads", paramLabel = "N", description = "searching at the same time")
  private int threads = 1;

  @Option(names = "--warmup", paramLabel = "N", description = "passes that do not count")
  private int warmUps = 1;

  @Option(names = "--repeats", paramLabel = "N", description = "passes that count")
  private int repeats = 3;

  @Option(
      names = "--work",
      paramLabel = "DIR",
      description = "where indexes are built, and deleted at the end; default: ${DEFAULT-VALUE}")
  private Path work = Path.of(System.getProperty("java.io.tmpdir"));

  @Option(
      names = "--json",
      paramLabel = "FILE",
      description = "append the results to this file, one JSON object per line")
  private Path json;

  @Option(
      names = "--plot",
      paramLabel = "FILE",
      description =
          "draw recall against speed in this .svg or .png file; of filtered searches speed and"
              + " recall against selectivity, in FILE-speed and FILE-recall")
  private Path plot;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "show this help")
  private boolean help;

  @Override
  public Integer call() throws IOException, InterruptedException {
    RecallPlan plan = plan();
    dataOptions.check();
    filterOptions.check(plan, dataOptions);
    if (hybrid) {
      checkHybrid(plan);
    }
    Optional<PictureFile> picture =
        Optional.ofNullable(plot).map(file -> PictureFile.named("--plot", file));
    Environment environment = Environment.current();
    Progress.Factory progress = Progress.Factory.forConsole();
    Path scratch = Files.createTempDirectory(Files.createDirectories(work), "pq32-recall-");
    Thread removal = new Thread(() -> remove(scratch));
    Runtime.getRuntime().addShutdownHook(removal);
    try (PrintWriter jsonLines = new PrintWriter(jsonWriter());
        Arena arena = Arena.ofShared()) {
      Dataset data = dataOptions.load(hybrid ? HybridRun.DEPTH : k, scratch, arena, progress);
      check(plan, data);
      ReportWriter writer = new ReportWriter(spec.commandLine().getOut(), jsonLines);
      List<Figure> figures = run(plan, data, environment, scratch, writer, progress);
      if (picture.isPresent()) {
        picture.get().write(figures);
      }
    } finally {
      Runtime.getRuntime().removeShutdownHook(removal);
      remove(scratch);
    }
    return 0;
  }

  private List<Figure> run(
      RecallPlan plan,
      Dataset data,
      Environment environment,
      Path scratch,
      ReportWriter writer,
      Progress.Factory progress)
      throws IOException, InterruptedException {
    RecallReport report = new RecallReport(writer);
    RecallReport.DatasetLine searched = RecallReport.DatasetLine.of(data, k);
    if (hybrid) {
      KnownItems items = KnownItems.read(dataOptions.folder().orElseThrow(), data);
      report.head(environment, data, plan);
      new HybridRun(data, items, plan, scratch, progress)
          .run(report, new HybridReport(writer, data.name()));
      return List.of();
    }
    if (filterOptions.given()) {
      FilterSet filters = filterOptions.load(dataOptions, data, k, progress);
      report.head(environment, data, plan);
      return FilterFigure.all(
          environment.cpu(),
          searched,
          plan.threads(),
          plan.targets().getFirst(),
          new FilterRun(data, filters, plan, scratch, progress)
              .run(report, new FilterReport(writer)));
    }
    report.head(environment, data, plan);
    return List.of(
        new RecallFigure(
            environment.cpu(),
            searched,
            plan.threads(),
            new RecallRun(data, plan, scratch, progress).run(report)));
  }

  private static void remove(Path scratch) {
    try {
      IOUtils.rm(scratch);
    } catch (IOException e) {
      System.err.println("could not remove " + scratch + ": " + e.getMessage());
    }
  }

  private RecallPlan plan() {
    atLeast("--k", k, 1);
    atLeast("--segments", segments, 1);
    atLeast("--ram-buffer", ramBufferMb, 1);
    atLeast("--threads", threads, 1);
    atLeast("--warmup", warmUps, 0);
    atLeast("--repeats", repeats, 1);
    for (int fanOut : fanOuts) {
      if (fanOut < k) {
        throw new BadInputException(
            "--fanouts must be at least --k %d; got %d".formatted(k, fanOut));
      }
    }
    for (double target : targets) {
      if (!(target > 0 && target <= 1)) {
        throw new BadInputException("--targets must be above 0 and at most 1; got " + target);
      }
    }
    Set<Contender> contenders = new LinkedHashSet<>();
    for (String format : formats) {
      contenders.add(Contender.named(format));
    }
    if (peerJVector) {
      contenders.add(Contender.JVECTOR);
    }
    BuildSettings build =
        new BuildSettings(
            maxConn, beamWidth, bytesPerVector, graphThreshold, segments, ramBufferMb);
    return new RecallPlan(
        List.copyOf(contenders),
        build,
        fanOuts.stream().distinct().sorted().toList(),
        tolerances.stream()
            .filter(text -> !text.isEmpty())
            .map(RecallCommand::tolerance)
            .distinct()
            .sorted()
            .toList(),
        k,
        threads,
        warmUps,
        repeats,
        targets);
  }

  private static double tolerance(String text) {
    try {
      return new Pq32SearchStrategy(Double.parseDouble(text)).tolerance();
    } catch (IllegalArgumentException _) { // the text is no number, or the number no tolerance
      throw new BadInputException(
          "--tolerances must be numbers, at least 0 and below 1; got " + text);
    }
  }

  private void checkHybrid(RecallPlan plan) {
    if (dataOptions.folder().isEmpty() || dataOptions.samplesBase()) {
      throw new BadInputException(
          "--hybrid needs --data DIR, where docs.jsonl and queries.jsonl are, without"
              + " --limit-base");
    }
    if (filterOptions.given() || plot != null) {
      throw new BadInputException("--hybrid excludes --filters, --synthetic-filters and --plot");
    }
    for (Contender contender : plan.contenders()) {
      if (!contender.engine().hasFields()) {
        throw new BadInputException(contender + ": has no texts to search");
      }
    }
  }

  private static void check(RecallPlan plan, Dataset data) {
    for (Contender contender : plan.contenders()) {
      try {
        contender.engine().check(plan.build(), data.similarity());
      } catch (IllegalArgumentException e) {
        throw new BadInputException(contender + ": " + e.getMessage());
      }
    }
    int segments = plan.build().segments();
    if (segments > data.base().size()) {
      throw new BadInputException(
          "--segments must be at most the %d vectors there are; got %d"
              .formatted(data.base().size(), segments));
    }
  }

  static void atLeast(String option, int value, int min) {
    if (value < min) {
      throw new BadInputException("%s must be at least %d; got %d".formatted(option, min, value));
    }
  }

  private Writer jsonWriter() throws IOException {
    if (json == null) {
      return Writer.nullWriter();
    }
    if (json.toAbsolutePath().getParent() == null
        || !Files.isDirectory(json.toAbsolutePath().getParent())) {
      throw new BadInputException("--json " + json + ": no such folder");
    }
    return Files.newBufferedWriter(json, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }
}
