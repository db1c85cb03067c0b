package io.pq32.benchmarks;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

@EnabledIf("io.pq32.benchmarks.PictureFile#canDraw")
class PlotCommandTest {
  private static final List<String> FORMATS =
      List.of("pq32", "pq32-graph", "pq32-scan", "float", "int8", "int4", "1bit", "jvector");

  @TempDir Path folder;

  private final StringWriter err = new StringWriter();

  @Test
  void namesDataSetProcessorAndEveryFormatInTheSvg() throws IOException {
    Path json = write(run("cats & dogs", FORMATS));
    String svg = Files.readString(plot(json, "figure.svg"));
    assertTrue(
        svg.contains("<title>cats &amp; dogs: 10,000 vectors of 128 dimensions, l2; Z80 &lt;"));
    assertTrue(svg.contains("recall@10 at queries per second, 2 threads. pq32: 0.9000 at 8,000,"));
    for (String format : FORMATS) {
      assertTrue(svg.contains(" " + format + ": 0.9"), format);
    }
  }

  @Test
  void drawsALineOfItsOwnColorForEveryFormat() throws IOException {
    String svg = Files.readString(plot(write(run("cats", FORMATS)), "figure.svg"));
    for (Contender contender : Contender.values()) {
      Color color = FigureStyle.color(contender);
      String stroke =
          "stroke:rgb(%d,%d,%d)".formatted(color.getRed(), color.getGreen(), color.getBlue());
      assertTrue(svg.contains(stroke), contender.toString());
    }
  }

  @Test
  void leavesOutFanOutsThatAnotherBeatsInBoth() throws IOException {
    List<String> lines = new ArrayList<>(head("cats"));
    lines.add(search("float", 10, 0.9, 4000));
    lines.add(search("float", 50, 1, 2000));
    lines.add(search("float", 400, 1, 300));
    String svg = Files.readString(plot(write(lines), "figure.svg"));
    assertTrue(svg.contains("float: 0.9000 at 4,000, 1.0000 at 2,000.</desc>"), svg);
  }

  @Test
  void tolerancesArePointsOfTheirFormatsLine() throws IOException {
    List<String> lines = new ArrayList<>(head("cats"));
    lines.add(search("pq32", 10, 0.95, 4000));
    lines.add(tolerant(search("pq32", 10, 0.9, 6000)));
    String svg = Files.readString(plot(write(lines), "figure.svg"));
    assertTrue(svg.contains("pq32: 0.9000 at 6,000, 0.9500 at 4,000.</desc>"), svg);
  }

  @Test
  void recallUnderFiltersIsThatWithoutATolerance() throws IOException {
    List<String> lines = new ArrayList<>(head("cats"));
    lines.set(2, "{\"type\":\"settings\",\"threads\":2,\"targets\":[0.9]}");
    lines.add(filtered(tolerant(search("pq32", 10, 0.9, 6000))));
    lines.add(filtered(search("pq32", 10, 0.95, 4000)));
    plot(write(lines), "f.svg");
    assertTrue(
        Files.readString(folder.resolve("f-recall.svg")).contains("pq32: 0.9500 at 50 %.</desc>"));
    assertTrue(
        Files.readString(folder.resolve("f-speed.svg")).contains("pq32: 6,000 at 50 %.</desc>"));
  }

  @Test
  void drawsTheSameBytesAgain() throws IOException {
    Path json = write(run("cats", FORMATS));
    assertArrayEquals(
        Files.readAllBytes(plot(json, "one.svg")), Files.readAllBytes(plot(json, "two.svg")));
  }

  @Test
  void drawsPng() throws IOException {
    BufferedImage picture =
        ImageIO.read(plot(write(run("cats", List.of("pq32"))), "figure.PNG").toFile());
    assertNotNull(picture);
    assertEquals(960, picture.getWidth());
  }

  @ParameterizedTest
  @CsvSource({"1, 1000", "0.5, 1000", "0, 0.004", "1, 3e7"})
  void drawsASinglePoint(double recall, double speed) throws IOException {
    List<String> lines = new ArrayList<>(head("cats"));
    lines.add(search("pq32", 10, recall, speed));
    assertTrue(Files.size(plot(write(lines), "figure.svg")) > 0);
  }

  @Test
  void drawsTheLastRunUnlessToldWhich() throws IOException {
    List<String> lines = new ArrayList<>(run("first", FORMATS));
    lines.addAll(run("second", FORMATS));
    Path json = write(lines);
    assertTrue(Files.readString(plot(json, "last.svg")).contains("<title>second:"));
    assertTrue(Files.readString(plot(json, "one.svg", "--run=1")).contains("<title>first:"));
  }

  @ParameterizedTest
  @CsvSource({
    "0.004, 0.002, 0.005",
    "1, 1, 2",
    "19, 10, 20",
    "20, 20, 50",
    "999, 500, 1000",
    "5e6, 5e6, 1e7"
  })
  void speedAxisEndsAtLabeledSteps(double speed, double below, double above) {
    assertEquals(below, FigureStyle.stepBelow(speed), 1e-9 * below);
    assertEquals(above, FigureStyle.stepAbove(speed), 1e-9 * above);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--out=x.pdf | --out must end in .svg or .png; got x.pdf",
        "--out=no/such/x.svg | --out no/such/x.svg: no such folder",
        "--run=3 | --run must be between 1 and 1, the runs in",
        "--run=0 | --run must be between 1 and 1, the runs in",
      })
  void rejectsBadOptions(String option, String message) throws IOException {
    Path json = write(run("cats", FORMATS));
    List<String> args = new ArrayList<>(List.of("plot", "--json=" + json, option));
    if (!option.startsWith("--out")) {
      args.add("--out=" + folder.resolve("x.svg"));
    }
    assertRejected(args, message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{ | line 4: Unexpected end-of-input",
        "{\"type\":\"search\",\"format\":\"pq32\"} | line 4: Missing creator property 'fanOut'",
        "search zip .9 10 | line 4: unknown format 'zip'; known: pq32",
        "search pq32 1.1 10 | line 4: recall must be between 0 and 1; got 1.1",
        "search pq32 .9 0 | line 4: queriesPerSecond must be above 0 and finite; got 0.0",
        "{\"type\":\"build\"} | run 1 of 1 has no line of type 'search'",
      })
  void saysWhichLineIsBad(String line, String message) throws IOException {
    List<String> lines = new ArrayList<>(head("cats"));
    String[] parts = line.split(" ");
    lines.add(
        parts[0].equals("search")
            ? search(parts[1], 10, Double.parseDouble(parts[2]), Double.parseDouble(parts[3]))
            : line);
    assertRejected(
        List.of("plot", "--json=" + write(lines), "--out=" + folder.resolve("x.svg")), message);
  }

  @Test
  void rejectsFilesWithoutARun() throws IOException {
    String out = "--out=" + folder.resolve("x.svg");
    assertRejected(List.of("plot", "--json=" + write(List.of()), out), "holds no run");
    assertRejected(
        List.of("plot", "--json=" + write(List.of("{\"type\":\"build\"}")), out),
        "line 1: a run begins with type 'environment'; got 'build'");
    assertRejected(
        List.of("plot", "--json=" + folder.resolve("none.jsonl"), out), "none.jsonl: no such file");
  }

  private void assertRejected(List<String> args, String message) {
    assertEquals(2, commandLine().execute(args.toArray(String[]::new)));
    assertTrue(err.toString().contains(message), err.toString());
    assertFalse(err.toString().contains("\tat "), err.toString());
    assertFalse(Files.exists(folder.resolve("x.svg")));
  }

  private Path plot(Path json, String name, String... more) {
    Path out = folder.resolve(name);
    String[] args =
        Stream.concat(Stream.of("plot", "--json=" + json, "--out=" + out), Stream.of(more))
            .toArray(String[]::new);
    assertEquals(0, commandLine().execute(args), err.toString());
    return out;
  }

  private CommandLine commandLine() {
    return Benchmarks.commandLine().setErr(new PrintWriter(err, true));
  }

  private Path write(List<String> lines) throws IOException {
    return Files.write(folder.resolve("results.jsonl"), lines);
  }

  private static List<String> run(String dataset, List<String> formats) {
    List<String> lines = new ArrayList<>(head(dataset));
    for (int i = 0; i < formats.size(); i++) {
      double slowdown = 1 + 0.5 * i;
      lines.add(search(formats.get(i), 10, 0.90 + 0.005 * i, 8000 / slowdown));
      lines.add(search(formats.get(i), 50, 0.96 + 0.004 * i, 3000 / slowdown));
      lines.add(search(formats.get(i), 400, 0.99 + 0.001 * i, 450 / slowdown));
    }
    return lines;
  }

  private static List<String> head(String dataset) {
    return List.of(
        "{\"type\":\"environment\",\"time\":\"2026-01-01T00:00:00Z\",\"cpu\":\"Z80 <4 MHz>\"}",
        "{\"type\":\"dataset\",\"name\":\"%s\",\"vectors\":10000,\"dimension\":128,\"metric\":\"l2\","
                .formatted(dataset)
            + "\"queries\":200,\"k\":10}",
        "{\"type\":\"settings\",\"threads\":2}");
  }

  private static String tolerant(String search) {
    return search.replace("\"fanOut\"", "\"tolerance\":0.1,\"fanOut\"");
  }

  private static String filtered(String search) {
    return ("{\"type\":\"filtered-search\",\"filter\":\"half\",\"correlated\":false,"
            + "\"selectivity\":0.5,\"queries\":9,\"search\":%s}")
        .formatted(search.replace("\"type\":\"search\",", ""));
  }

  private static String search(String format, int fanOut, double recall, double speed) {
    return ("{\"type\":\"search\",\"format\":\"%s\",\"fanOut\":%d,\"recall\":%s,"
                + "\"queriesPerSecond\":%s,\"bestQueriesPerSecond\":%s,\"p50Millis\":1,\"p99Millis\":2}")
        .formatted(format, fanOut, recall, speed, speed);
  }
}
