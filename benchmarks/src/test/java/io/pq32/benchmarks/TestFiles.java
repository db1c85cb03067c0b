package io.pq32.benchmarks;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.zip.GZIPOutputStream;

/** Writes and draws what the tests of this module read. */
final class TestFiles {
  static final Progress.Factory QUIET = new Progress.Factory(false, System.err);

  private TestFiles() {}

  static Path fvecs(Path file, float[]... rows) throws IOException {
    try (OutputStream out = open(file)) {
      for (float[] row : rows) {
        ByteBuffer bytes = row(row.length, row.length * Float.BYTES);
        bytes.asFloatBuffer().put(row);
        out.write(bytes.array());
      }
    }
    return file;
  }

  static Path ivecs(Path file, int[]... rows) throws IOException {
    try (OutputStream out = open(file)) {
      for (int[] row : rows) {
        ByteBuffer bytes = row(row.length, row.length * Integer.BYTES);
        bytes.asIntBuffer().put(row);
        out.write(bytes.array());
      }
    }
    return file;
  }

  static Path bvecs(Path file, int[]... rows) throws IOException {
    try (OutputStream out = open(file)) {
      for (int[] row : rows) {
        ByteBuffer bytes = row(row.length, row.length);
        for (int value : row) {
          bytes.put((byte) value);
        }
        out.write(bytes.array());
      }
    }
    return file;
  }

  private static ByteBuffer row(int length, int bytes) {
    return ByteBuffer.allocate(Integer.BYTES + bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(length);
  }

  private static OutputStream open(Path file) throws IOException {
    OutputStream out = Files.newOutputStream(file);
    return file.toString().endsWith(".gz") ? new GZIPOutputStream(out) : out;
  }

  /** Gaussian vectors. */
  static float[][] vectors(int count, int dimension, long seed) {
    Random random = new Random(seed);
    float[][] vectors = new float[count][dimension];
    for (float[] vector : vectors) {
      for (int i = 0; i < dimension; i++) {
        vector[i] = (float) random.nextGaussian();
      }
    }
    return vectors;
  }
}
