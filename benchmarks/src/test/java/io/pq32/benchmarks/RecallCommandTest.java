package io.pq32.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class RecallCommandTest {
  @TempDir Path data;
  @TempDir Path work;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @BeforeEach
  void write() throws IOException {
    TestFiles.fvecs(data.resolve("base.fvecs.gz"), TestFiles.vectors(1500, 24, 1));
    TestFiles.fvecs(data.resolve("queries.fvecs"), TestFiles.vectors(40, 24, 2));
    Files.writeString(data.resolve("stats.json"), "{\"metric\": \"l2\"}");
  }

  @Test
  void measuresEveryFormatAtEveryFanOut() throws IOException {
    Path json = work.resolve("results.json");
    run(0, "--formats", "pq32,float,int8,int4,1bit", "--json", json.toString());

    List<JsonNode> lines = lines(json);
    assertEquals(
        List.of("environment", "dataset", "settings"),
        lines.stream().limit(3).map(line -> line.path("type").textValue()).toList());
    assertEquals(1500, lines.get(1).path("vectors").intValue());

    List<JsonNode> builds = ofType(lines, "build");
    assertEquals(
        List.of("pq32", "float", "int8", "int4", "1bit"),
        builds.stream().map(line -> line.path("format").textValue()).toList());
    for (JsonNode build : builds) {
      assertEquals(1, build.path("segments").intValue());
      assertTrue(build.path("docsPerSecond").doubleValue() > 0);
      double disk = build.path("diskBytesPerVector").doubleValue();
      double hot = build.path("hotBytesPerVector").doubleValue();
      assertTrue(disk >= 24 * Float.BYTES, build.toString());
      assertTrue(hot <= disk, build.toString());
    }
    assertEquals(builds.get(1).path("diskBytesPerVector"), builds.get(1).path("hotBytesPerVector"));
    JsonNode oneBit = builds.get(4);
    assertEquals(
        oneBit.path("diskBytesPerVector").doubleValue()
            - oneBit.path("fileBytes").path("vec").longValue() / 1500.0,
        oneBit.path("hotBytesPerVector").doubleValue(),
        1e-9);

    List<JsonNode> searches = ofType(lines, "search");
    assertEquals(12, searches.size()); // pq32 at two tolerances as well
    for (JsonNode search : searches) {
      double recall = search.path("recall").doubleValue();
      assertTrue(recall <= 1, search.toString());
      if (search.path("fanOut").intValue() == 400) {
        assertTrue(recall > 0.95, search.toString());
      }
      assertTrue(search.path("queriesPerSecond").doubleValue() > 0);
      assertTrue(search.path("p50Millis").doubleValue() <= search.path("p99Millis").doubleValue());
    }
    assertEquals(10, ofType(lines, "at-recall").size());

    String text = out.toString();
    for (String part : List.of("docs/s", "recall@10", "hot B/vector", "QPS at 0.950")) {
      assertTrue(text.contains(part), text);
    }
    assertFalse(text.contains("NaN"), text);
  }

  @Test
  void searchesPq32AtEveryToleranceForTheFewestCandidates() throws IOException {
    Path json = work.resolve("results.json");
    run(0, "--formats=pq32,float,pq32-scan", "--tolerances=0.3,0,.3", "--json=" + json);
    assertEquals(
        List.of(
            "pq32 10 -",
            "pq32 10 0.0",
            "pq32 10 0.3",
            "pq32 400 -",
            "float 10 -",
            "float 400 -",
            "pq32-scan 10 -",
            "pq32-scan 10 0.0",
            "pq32-scan 10 0.3",
            "pq32-scan 400 -"),
        ofType(lines(json), "search").stream().map(RecallCommandTest::setting).toList());
    String text = out.toString();
    assertTrue(text.matches("(?s).*pq32 +10 +0\\.3 .*"), text);
    assertTrue(text.matches("(?s).*float +10 +- .*"), text);
  }

  @ParameterizedTest
  @ValueSource(strings = {"--tolerances=", "--tolerances=,"})
  void searchesAtNoToleranceIfThereIsNone(String option) throws IOException {
    Path json = work.resolve("results.json");
    run(0, "--formats=pq32", option, "--json=" + json);
    assertEquals(
        List.of("pq32 10 -", "pq32 400 -"),
        ofType(lines(json), "search").stream().map(RecallCommandTest::setting).toList());
  }

  @Test
  void aToleranceReachesTheSearchWithAFilterOrWithout() throws IOException {
    TestFiles.fvecs(data.resolve("base.fvecs.gz"), TestFiles.vectors(3000, 96, 1));
    TestFiles.fvecs(data.resolve("queries.fvecs"), TestFiles.vectors(40, 96, 2));
    Path json = work.resolve("results.json");
    for (boolean filtered : new boolean[] {false, true}) {
      Files.deleteIfExists(json);
      List<String> options = new ArrayList<>();
      options.addAll(List.of("--formats=pq32", "--bytes-per-vector=16", "--json=" + json));
      options.addAll(List.of("--fanouts=10", "--tolerances=0,0.5"));
      if (filtered) {
        options.add("--synthetic-filters");
      }
      run(0, options.toArray(String[]::new));
      Map<String, Double> recalls = new HashMap<>();
      for (JsonNode line : ofType(lines(json), filtered ? "filtered-search" : "search")) {
        JsonNode search = filtered ? line.path("search") : line;
        if (!filtered || line.path("filter").textValue().equals("random-99.0%")) {
          recalls.put(setting(search), search.path("recall").doubleValue());
        }
      }
      assertTrue(recalls.get("pq32 10 0.0") > recalls.get("pq32 10 -"), recalls.toString());
      assertTrue(recalls.get("pq32 10 -") > recalls.get("pq32 10 0.5"), recalls.toString());
    }
  }

  private static String setting(JsonNode search) {
    return search.path("format").textValue()
        + " "
        + search.path("fanOut").intValue()
        + " "
        + (search.has("tolerance") ? search.path("tolerance").doubleValue() : "-");
  }

  @Test
  void buildsSegmentsOfEqualSizeAndSearchesThemWithSeveralThreads() throws IOException {
    Path json = work.resolve("results.json");
    run(
        0,
        "--formats",
        "float,1bit",
        "--segments",
        "4",
        "--threads",
        "2",
        "--metric",
        "cosine",
        "--json",
        json.toString());
    for (JsonNode build : ofType(lines(json), "build")) {
      assertEquals(4, build.path("segments").intValue());
    }
    for (JsonNode search : ofType(lines(json), "search")) {
      if (search.path("fanOut").intValue() == 400) {
        assertTrue(search.path("recall").doubleValue() > 0.95, search.toString());
      }
    }
  }

  @Test
  void indexesMoreDimensionsThanLuceneAllowsByDefault() throws IOException {
    TestFiles.fvecs(data.resolve("base.fvecs.gz"), TestFiles.vectors(60, 1536, 1));
    TestFiles.fvecs(data.resolve("queries.fvecs"), TestFiles.vectors(3, 1536, 2));
    Path json = work.resolve("results.json");
    run(0, "--json", json.toString());
    for (JsonNode search : ofType(lines(json), "search")) {
      if (search.path("fanOut").intValue() == 400) {
        assertEquals(1, search.path("recall").doubleValue(), search.toString());
      }
    }
  }

  @Test
  @EnabledIf("io.pq32.benchmarks.PictureFile#canDraw")
  void drawsWhatPlotDrawsAgainFromTheJson() throws IOException {
    Path json = work.resolve("results.json");
    Path plot = work.resolve("figure.svg");
    run(0, "--formats", "pq32,float", "--json", json.toString(), "--plot", plot.toString());
    Path again = work.resolve("again.svg");
    assertEquals(0, commandLine().execute("plot", "--json=" + json, "--out=" + again));
    assertEquals(Files.readString(plot), Files.readString(again));
  }

  @Test
  void leavesNothingInTheWorkFolder() throws IOException {
    run(0, "--formats", "float");
    try (Stream<Path> left = Files.list(work)) {
      assertEquals(List.of(work.resolve("cache")), left.toList());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--formats=pq32,zip | unknown format 'zip'; known: pq32, pq32-graph, pq32-scan, float",
        "--metric=taxi | unknown metric 'taxi'; known: l2, dot, cosine, mip",
        "--fanouts=5 | --fanouts must be at least --k 10; got 5",
        "--k=0 | --k must be at least 1; got 0",
        "--segments=2000 | --segments must be at most the 1500 vectors there are; got 2000",
        "--tolerances=0.1,1 | --tolerances must be numbers, at least 0 and below 1; got 1",
        "--tolerances=-0.1 | --tolerances must be numbers, at least 0 and below 1; got -0.1",
        "--tolerances=few | --tolerances must be numbers, at least 0 and below 1; got few",
        "--targets=1.5 | --targets must be above 0 and at most 1; got 1.5",
        "--max-conn=1000 | pq32: maxConn must be between 2 and 512; got 1000",
        "--plot=x.jpg | --plot must end in .svg or .png; got x.jpg",
        "--base=x.fvecs | --data excludes --base",
        "--metric=dot | metric dot needs unit vectors",
      })
  void saysWhatIsWrong(String option, String message) {
    run(2, option);
    assertTrue(err.toString().contains(message), err.toString());
    assertFalse(err.toString().contains("\tat "), err.toString());
  }

  @Test
  void takesLooseFiles() throws IOException {
    CommandLine commandLine = commandLine();
    int status =
        commandLine.execute(
            "recall",
            "--base=" + data.resolve("base.fvecs.gz"),
            "--queries=" + data.resolve("queries.fvecs"),
            "--metric=mip",
            "--formats=float",
            "--limit-base=300",
            "--limit-queries=5",
            "--work=" + work,
            "--cache=" + work.resolve("cache"));
    assertEquals(0, status, err.toString());
    assertTrue(out.toString().startsWith("base.fvecs.gz: 300 vectors of 24 dimensions, mip; 5"));
  }

  @Test
  void measuresJVectorBesideTheFormats() throws IOException {
    Path json = work.resolve("results.json");
    run(0, "--formats=pq32", "--peer-jvector", "--bytes-per-vector=16", "--json=" + json);
    JsonNode build = ofType(lines(json), "build").getLast();
    assertEquals("jvector", build.path("format").textValue());
    double codes = build.path("fileBytes").path("codes").longValue() / 1500.0;
    double hot = build.path("hotBytesPerVector").doubleValue();
    assertTrue(codes >= 16, build.toString());
    // Of up to 32 links per node at least every second is there.
    assertTrue(hot >= codes + 16 * Integer.BYTES, build.toString());
    assertEquals(hot + 24 * Float.BYTES, build.path("diskBytesPerVector").doubleValue(), 1e-9);
    JsonNode search = ofType(lines(json), "search").getLast();
    assertEquals("jvector", search.path("format").textValue());
    assertTrue(search.path("recall").doubleValue() > 0.95, search.toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--segments=2 | jvector: builds one graph, so --segments must be 1; got 2",
        "--metric=mip | jvector: does not know metric mip",
        "--limit-base=200 | jvector: needs at least 256 vectors; got 200",
        "--bytes-per-vector=32 | jvector: --bytes-per-vector must be at most the dimension 24; got",
      })
  void saysWhatJVectorCannotDo(String option, String message) {
    run(2, "--formats=jvector", option);
    assertTrue(err.toString().contains(message), err.toString());
  }

  @Test
  void generatesData() throws IOException {
    Path json = work.resolve("results.json");
    int status =
        commandLine()
            .execute(
                "recall",
                "--synthetic=1200",
                "--synthetic-queries=30",
                "--dimension=48",
                "--seed=5",
                "--formats=float",
                "--fanouts=10,400",
                "--json=" + json,
                "--work=" + work,
                "--cache=" + work.resolve("cache"));
    assertEquals(0, status, err.toString());
    assertTrue(out.toString().startsWith("synthetic-48: 1,200 vectors of 48 dimensions, dot; 30"));
    assertTrue(ofType(lines(json), "search").getLast().path("recall").doubleValue() > 0.98);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--synthetic=0 | --synthetic must be at least 1; got 0",
        "--synthetic=10 --dimension=1 | --dimension must be between 2 and 4096; got 1",
        "--synthetic=10 --dimension=5000 | --dimension must be between 2 and 4096; got 5000",
        "--synthetic=10 --synthetic-queries=0 | --synthetic-queries must be at least 1; got 0",
        "--synthetic=10 --metric=l2 | --synthetic excludes --data, --base, --queries, --truth and",
        "--metric=l2 | give --data DIR, or --base FILE, --queries FILE and --metric NAME, or",
      })
  void saysWhatIsWrongWithTheDataOptions(String options, String message) {
    List<String> args = new ArrayList<>(List.of("recall"));
    args.addAll(List.of(options.split(" ")));
    assertEquals(2, commandLine().execute(args.toArray(String[]::new)));
    assertTrue(err.toString().contains(message), err.toString());
  }

  private void run(int expectedStatus, String... more) {
    List<String> args = new ArrayList<>();
    args.addAll(List.of("recall", "--data", data.toString()));
    args.addAll(List.of("--work", work.toString(), "--cache", work.resolve("cache").toString()));
    if (Stream.of(more).noneMatch(option -> option.startsWith("--fanouts"))) {
      args.addAll(List.of("--fanouts", "10,400"));
    }
    args.addAll(List.of("--repeats", "2"));
    args.addAll(List.of(more));
    assertEquals(
        expectedStatus, commandLine().execute(args.toArray(String[]::new)), err.toString());
  }

  private CommandLine commandLine() {
    return Benchmarks.commandLine()
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true));
  }

  private static List<JsonNode> lines(Path json) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(json)) {
      lines.add(mapper.readTree(line));
    }
    return lines;
  }

  private static List<JsonNode> ofType(List<JsonNode> lines, String type) {
    return lines.stream().filter(line -> line.path("type").textValue().equals(type)).toList();
  }
}
