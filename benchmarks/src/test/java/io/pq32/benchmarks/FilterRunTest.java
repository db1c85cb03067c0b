package io.pq32.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class FilterRunTest {
  private static final int VECTORS = 1500;

  @TempDir Path data;
  @TempDir Path work;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @BeforeEach
  void write() throws IOException {
    TestFiles.fvecs(data.resolve("base.fvecs"), TestFiles.vectors(VECTORS, 24, 1));
    TestFiles.fvecs(data.resolve("queries.fvecs"), TestFiles.vectors(20, 24, 2));
    Files.writeString(data.resolve("stats.json"), "{\"metric\": \"l2\"}");
    Random random = new Random(3);
    List<String> rows = new ArrayList<>();
    for (int i = 0; i < VECTORS; i++) {
      rows.add(
          "{\"id\":%d,\"rnd\":%d,\"color\":\"%s\"}"
              .formatted(i, random.nextInt(1000), random.nextBoolean() ? "red" : "blue"));
    }
    Files.write(data.resolve("docs.jsonl"), rows);
    Files.writeString(
        data.resolve("filters.json"),
        """
        [{"name": "few", "field": "rnd", "op": "lt", "value": 10},
         {"name": "red", "field": "color", "op": "eq", "value": "red", "correlated": true},
         {"name": "none", "field": "color", "op": "eq", "value": "green"}]
        """);
  }

  @Test
  void measuresEveryFilterOfTheFolderInEveryFormat() throws IOException {
    List<JsonNode> searches = ofType(run(0, "--filters"), "filtered-search");
    assertEquals(List.of("few", "red"), names(searches));
    // Under each filter two formats at two fan-outs, and pq32 at two tolerances.
    assertEquals(2 * (2 * 2 + 2), searches.size());
    assertEquals(
        4, searches.stream().filter(search -> search.path("search").has("tolerance")).count());
    for (JsonNode search : searches) {
      boolean few = search.path("filter").textValue().equals("few");
      double selectivity = search.path("selectivity").doubleValue();
      assertEquals(few ? 0.01 : 0.5, selectivity, few ? 0.005 : 0.05);
      assertEquals(!few, search.path("correlated").booleanValue());
      assertEquals(20, search.path("queries").intValue());
      double recall = search.path("search").path("recall").doubleValue();
      assertTrue(recall <= 1, search.toString());
      if (search.path("search").path("fanOut").intValue() == 400) {
        assertTrue(recall > 0.95, search.toString());
      }
    }
    assertTrue(out.toString().contains("Filter red: 49.9 % of the vectors pass"), out.toString());
    assertFalse(out.toString().contains("NaN"), out.toString());
  }

  @Test
  void takesTruthThatIsKnownAndItsQueriesAlone() throws IOException {
    int[][] known = new int[5][15]; // of the first five queries, and wrong: always the same ids
    List<Integer> passing = new ArrayList<>();
    JsonLines.read(
        data.resolve("docs.jsonl"),
        row -> {
          if (row.path("color").textValue().equals("red")) {
            passing.add(row.path("id").intValue());
          }
        });
    for (int[] row : known) {
      for (int rank = 0; rank < row.length; rank++) {
        row[rank] = passing.get(rank);
      }
    }
    TestFiles.ivecs(data.resolve("gt.red.ivecs.gz"), known);
    Files.writeString(
        data.resolve("filters.json"),
        """
        [{"name": "red", "field": "color", "op": "eq", "value": "red",
          "gt": "gt.red.ivecs.gz", "gt_queries": 5}]
        """);
    for (JsonNode search : ofType(run(0, "--filters"), "filtered-search")) {
      assertEquals(5, search.path("queries").intValue());
      // The tenth of arbitrary neighbors is far: whatever is found is nearer.
      assertEquals(1, search.path("search").path("recall").doubleValue(), search.toString());
    }
  }

  @Test
  void computesTruthOfASample() throws IOException {
    TestFiles.ivecs(data.resolve("gt.few.ivecs"), new int[20][10]);
    for (JsonNode search :
        ofType(run(0, "--filters", "--limit-base=700", "--limit-queries=7"), "filtered-search")) {
      assertEquals(7, search.path("queries").intValue());
      if (search.path("search").path("fanOut").intValue() == 400) {
        assertTrue(search.path("search").path("recall").doubleValue() > 0.95, search.toString());
      }
    }
  }

  @Test
  void makesFiltersForVectorsWithoutMetadata() throws IOException {
    List<JsonNode> searches = ofType(run(0, "--synthetic-filters"), "filtered-search");
    assertEquals(
        List.of(
            "random-0.01%",
            "random-0.1%",
            "random-1.0%",
            "random-5.0%",
            "random-20.0%",
            "random-50.0%",
            "random-99.0%",
            "far-half"),
        names(searches));
    for (JsonNode search : searches) {
      if (search.path("search").path("fanOut").intValue() == 400) {
        assertTrue(search.path("search").path("recall").doubleValue() > 0.95, search.toString());
      }
      if (search.path("filter").textValue().equals(SyntheticFilters.FAR)) {
        assertEquals(0.5, search.path("selectivity").doubleValue(), 1e-9);
        assertTrue(search.path("correlated").booleanValue());
      }
    }
    assertEquals(1.0 / VECTORS, searches.getFirst().path("selectivity").doubleValue(), 1e-9);
  }

  @Test
  void measuresFiltersOfTheFolderAndMadeOnesInOneRun() throws IOException {
    List<JsonNode> searches = ofType(run(0, "--filters", "--synthetic-filters"), "filtered-search");
    assertEquals(10, names(searches).size());
  }

  @Test
  @EnabledIf("io.pq32.benchmarks.PictureFile#canDraw")
  void drawsSpeedAndRecallAndPlotDrawsThemAgain() throws IOException {
    run(0, "--filters", "--synthetic-filters", "--plot=" + work.resolve("f.svg"));
    assertEquals(
        0,
        commandLine()
            .execute(
                "plot",
                "--json=" + work.resolve("results.json"),
                "--out=" + work.resolve("again.svg")));
    for (String suffix : List.of("-speed.svg", "-recall.svg")) {
      String svg = Files.readString(work.resolve("f" + suffix));
      assertEquals(svg, Files.readString(work.resolve("again" + suffix)));
      assertTrue(svg.contains("pq32 (correlated): "), suffix);
      assertTrue(svg.contains("at 99 %"), suffix);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--filters --formats=jvector | jvector: has no fields to filter on",
        "--filters --peer-jvector | jvector: has no fields to filter on",
      })
  void saysWhatIsWrong(String options, String message) throws IOException {
    run(2, options.split(" "));
    assertTrue(err.toString().contains(message), err.toString());
  }

  @Test
  void saysWhichFileIsMissing() throws IOException {
    Files.delete(data.resolve("docs.jsonl"));
    run(2, "--filters");
    assertTrue(err.toString().contains("holds neither meta.jsonl nor docs.jsonl"), err.toString());
    Files.delete(data.resolve("filters.json"));
    run(2, "--filters");
    assertTrue(err.toString().contains("filters.json: no such file"), err.toString());
    assertEquals(2, commandLine().execute("recall", "--synthetic=100", "--filters"));
    assertTrue(err.toString().contains("--filters needs --data DIR"), err.toString());
  }

  @Test
  void saysWhatIsWrongWithTheFiltersFile() throws IOException {
    Files.writeString(data.resolve("filters.json"), "[{\"name\": \"x\", \"op\": \"like\"}]");
    run(2, "--filters");
    assertTrue(
        err.toString().contains("filters.json: filter 'x': unknown op 'like'"), err.toString());
  }

  @Test
  void saysThatMetadataIsCutShort() throws IOException {
    Files.writeString(data.resolve("docs.jsonl"), "{\"rnd\": 1}\n");
    run(2, "--filters");
    assertTrue(
        err.toString().contains("docs.jsonl: has 1 lines for at least 1500 vectors"),
        err.toString());
  }

  private List<JsonNode> run(int expectedStatus, String... more) throws IOException {
    Path json = work.resolve("results.json");
    List<String> args = new ArrayList<>();
    args.addAll(List.of("recall", "--data", data.toString(), "--json", json.toString()));
    args.addAll(List.of("--work", work.toString(), "--cache", work.resolve("cache").toString()));
    args.addAll(List.of("--fanouts", "10,400", "--repeats", "1"));
    if (Stream.of(more).noneMatch(option -> option.startsWith("--formats"))) {
      args.addAll(List.of("--formats", "pq32,1bit"));
    }
    args.addAll(List.of(more));
    assertEquals(
        expectedStatus, commandLine().execute(args.toArray(String[]::new)), err.toString());
    List<JsonNode> lines = new ArrayList<>();
    if (Files.exists(json)) {
      JsonLines.read(json, lines::add);
    }
    return lines;
  }

  private CommandLine commandLine() {
    return Benchmarks.commandLine()
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true));
  }

  private static List<JsonNode> ofType(List<JsonNode> lines, String type) {
    return lines.stream().filter(line -> line.path("type").textValue().equals(type)).toList();
  }

  private static List<String> names(List<JsonNode> searches) {
    Set<String> names = new LinkedHashSet<>();
    searches.forEach(search -> names.add(search.path("filter").textValue()));
    return List.copyOf(names);
  }
}
