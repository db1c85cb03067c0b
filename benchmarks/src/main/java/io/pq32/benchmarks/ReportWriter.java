package io.pq32.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.util.Locale;

/** Where reports go: text to one writer, JSON lines to another. */
final class ReportWriter {
  private final ObjectMapper mapper = new ObjectMapper();
  private final PrintWriter out;
  private final PrintWriter json;

  ReportWriter(PrintWriter out, PrintWriter json) {
    this.out = out;
    this.json = json;
  }

  /** Writes a record as a JSON object with its type. */
  void line(String type, Object content) {
    ObjectNode line = mapper.createObjectNode().put("type", type);
    line.setAll((ObjectNode) mapper.valueToTree(content));
    json.println(line);
    json.flush();
  }

  void print(String format, Object... values) {
    out.printf(Locale.ROOT, format + "%n", values);
    out.flush();
  }

  static String number(String format, Object value) {
    return String.format(Locale.ROOT, format, value);
  }
}
