package io.pq32.benchmarks;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.zip.GZIPInputStream;

/** Reads files of JSON objects, one per line, plain or gzipped. */
final class JsonLines {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private JsonLines() {}

  /** Hands every object to {@code rows}, in the order of the file. */
  static void read(Path file, Consumer<JsonNode> rows) throws IOException {
    try (InputStream raw = Files.newInputStream(file);
        InputStream in = file.toString().endsWith(".gz") ? new GZIPInputStream(raw) : raw;
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      int number = 0;
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        number++;
        rows.accept(parse(file, number, line));
      }
    }
  }

  private static JsonNode parse(Path file, int number, String line) {
    try {
      JsonNode row = MAPPER.readTree(line);
      if (row.isObject()) {
        return row;
      }
    } catch (JacksonException e) {
      throw new BadInputException("%s line %d: %s".formatted(file, number, e.getOriginalMessage()));
    }
    throw new BadInputException("%s line %d: is no JSON object".formatted(file, number));
  }
}
