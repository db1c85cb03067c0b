package io.pq32.lucene;

import io.pq32.quantization.Effort;

/** What has a long run of a test counted? Told on standard output, for whoever asked for it. */
final class Figures {
  private Figures() {}

  static void print(String format, Object... values) {
    if (Effort.of(0, 1) == 1) {
      System.out.printf(format + "%n", values);
    }
  }
}
