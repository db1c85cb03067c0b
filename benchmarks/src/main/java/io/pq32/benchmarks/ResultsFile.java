package io.pq32.benchmarks;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What runs does a file of JSON lines hold, and what did they find? */
final class ResultsFile {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          // "type", and of environment and settings all that a figure does not show.
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .build();

  private record Line(int number, String type, JsonNode content) {}

  private record EnvironmentLine(String cpu) {}

  private record SettingsLine(int threads) {}

  private record FilterSettingsLine(int threads, List<Double> targets) {}

  private final Path file;
  private final List<List<Line>> runs;

  private ResultsFile(Path file, List<List<Line>> runs) {
    this.file = file;
    this.runs = runs;
  }

  /** Reads a file; every line of type environment begins a run. */
  static ResultsFile read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new BadInputException(file + ": no such file");
    }
    List<List<Line>> runs = new ArrayList<>();
    int number = 0;
    for (String text : Files.readAllLines(file)) {
      number++;
      JsonNode content;
      try {
        content = MAPPER.readTree(text);
      } catch (JsonProcessingException e) {
        throw bad(file, number, e.getOriginalMessage());
      }
      String type = content.path("type").asText();
      completeSearch(type.equals("filtered-search") ? content.path("search") : content);
      if (type.equals("environment")) {
        runs.add(new ArrayList<>());
      } else if (runs.isEmpty()) {
        throw bad(file, number, "a run begins with type 'environment'; got '" + type + "'");
      }
      runs.getLast().add(new Line(number, type, content));
    }
    if (runs.isEmpty()) {
      throw new BadInputException(file + ": holds no run");
    }
    return new ResultsFile(file, runs);
  }

  /** Searches alone have a field that may be missing, and Jackson knows all or none. */
  private static void completeSearch(JsonNode content) {
    if (content instanceof ObjectNode search && !search.has("tolerance")) {
      search.put("tolerance", RecallReport.Search.NO_TOLERANCE);
    }
  }

  /**
   * The figures of a run.
   *
   * @param run 1 for the first; empty for the last
   */
  List<Figure> figures(Optional<Integer> run) {
    int number = run.orElse(runs.size());
    if (number < 1 || number > runs.size()) {
      throw new BadInputException(
          "--run must be between 1 and %d, the runs in %s; got %d"
              .formatted(runs.size(), file, number));
    }
    return runs.get(number - 1).stream().anyMatch(line -> line.type().equals("filtered-search"))
        ? filterFigures(number)
        : List.of(recallFigure(number));
  }

  private List<Figure> filterFigures(int number) {
    List<FilterReport.FilteredSearch> searches = new ArrayList<>();
    for (Line line : lines(number, "filtered-search")) {
      FilterReport.FilteredSearch search = parse(line, FilterReport.FilteredSearch.class);
      if (!(search.selectivity() > 0 && search.selectivity() <= 1)) {
        throw bad(
            file,
            line.number(),
            "selectivity must be above 0 and at most 1; got " + search.selectivity());
      }
      check(line, search.search());
      searches.add(search);
    }
    FilterSettingsLine settings =
        parse(lines(number, "settings").getFirst(), FilterSettingsLine.class);
    return FilterFigure.all(
        parse(lines(number, "environment").getFirst(), EnvironmentLine.class).cpu(),
        parse(lines(number, "dataset").getFirst(), RecallReport.DatasetLine.class),
        settings.threads(),
        settings.targets().getFirst(),
        searches);
  }

  private RecallFigure recallFigure(int number) {
    List<RecallReport.Search> searches = new ArrayList<>();
    for (Line line : lines(number, "search")) {
      RecallReport.Search search = parse(line, RecallReport.Search.class);
      check(line, search);
      searches.add(search);
    }
    return new RecallFigure(
        parse(lines(number, "environment").getFirst(), EnvironmentLine.class).cpu(),
        parse(lines(number, "dataset").getFirst(), RecallReport.DatasetLine.class),
        parse(lines(number, "settings").getFirst(), SettingsLine.class).threads(),
        searches);
  }

  private List<Line> lines(int run, String type) {
    List<Line> lines = runs.get(run - 1).stream().filter(line -> line.type().equals(type)).toList();
    if (lines.isEmpty()) {
      throw new BadInputException(
          "%s: run %d of %d has no line of type '%s'".formatted(file, run, runs.size(), type));
    }
    return lines;
  }

  private <T> T parse(Line line, Class<T> type) {
    try {
      return MAPPER.treeToValue(line.content(), type);
    } catch (JsonProcessingException e) {
      throw bad(file, line.number(), e.getOriginalMessage());
    }
  }

  private void check(Line line, RecallReport.Search search) {
    try {
      Contender.named(search.format());
    } catch (BadInputException e) {
      throw bad(file, line.number(), e.getMessage());
    }
    if (!(search.recall() >= 0 && search.recall() <= 1)) {
      throw bad(file, line.number(), "recall must be between 0 and 1; got " + search.recall());
    }
    double speed = search.queriesPerSecond();
    if (!(speed > 0 && speed < Double.POSITIVE_INFINITY)) {
      throw bad(file, line.number(), "queriesPerSecond must be above 0 and finite; got " + speed);
    }
  }

  private static BadInputException bad(Path file, int line, String message) {
    return new BadInputException("%s line %d: %s".formatted(file, line, message));
  }
}
