package io.pq32.benchmarks;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where the parts of a data set are.
 *
 * @param name shown in reports
 * @param base vectors to index
 * @param queries vectors to search for
 * @param truth exact neighbors of every query, if they are known
 * @param similarity what the truth was computed with
 */
record DatasetFiles(
    String name, Path base, Path queries, Optional<Path> truth, Similarity similarity) {

  private static final String[] VECTOR_SUFFIXES = {".fvecs", ".u8.bvecs", ".bvecs"};

  /**
   * A folder with {@code base.*} and {@code queries.*}, perhaps {@code gt.ivecs}, and {@code
   * stats.json}, whose {@code metric} counts unless one is given.
   */
  static DatasetFiles in(Path folder, Optional<Similarity> given) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new BadInputException(folder + ": no such folder");
    }
    return new DatasetFiles(
        folder.toRealPath().getFileName().toString(),
        vectors(folder, "base"),
        vectors(folder, "queries"),
        existing(folder, "gt", ".ivecs"),
        given.isPresent() ? given.get() : metricOf(folder.resolve("stats.json")));
  }

  private static Path vectors(Path folder, String stem) {
    return existing(folder, stem, VECTOR_SUFFIXES)
        .orElseThrow(
            () ->
                new BadInputException(
                    "%s: holds no %s vectors; expected %s with one of %s, optionally .gz"
                        .formatted(folder, stem, stem, String.join(", ", VECTOR_SUFFIXES))));
  }

  /** The file of that name with one of the suffixes, plain or gzipped. */
  static Optional<Path> existing(Path folder, String stem, String... suffixes) {
    return Stream.of(suffixes)
        .flatMap(suffix -> Stream.of(stem + suffix, stem + suffix + ".gz"))
        .map(folder::resolve)
        .filter(Files::isRegularFile)
        .findFirst();
  }

  private static Similarity metricOf(Path stats) throws IOException {
    if (!Files.isRegularFile(stats)) {
      throw new BadInputException(
          stats + ": no such file, so --metric must be given: " + Similarity.names());
    }
    JsonNode metric;
    try {
      metric = new ObjectMapper().readTree(stats.toFile()).path("metric");
    } catch (JacksonException e) {
      throw new BadInputException(stats + ": is no JSON: " + e.getOriginalMessage());
    }
    if (!metric.isTextual()) {
      throw new BadInputException(stats + ": has no text field 'metric'; give --metric");
    }
    return Similarity.named(metric.textValue());
  }
}
