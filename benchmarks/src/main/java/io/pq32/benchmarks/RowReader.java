package io.pq32.benchmarks;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * Reads one row after the other of an {@code fvecs}, {@code bvecs} or {@code ivecs} file, plain or
 * gzipped. A row is its length as an int32 and then that many float32, uint8 or int32 values,
 * little endian.
 */
final class RowReader implements Closeable {
  /** How the values of a file are stored, told by its name. */
  enum Encoding {
    FVECS(".fvecs", Float.BYTES),
    /** Bytes u that stand for the vector u - 128 scaled to unit length. */
    UNIT_BVECS(".u8.bvecs", Byte.BYTES),
    /** Bytes that are the vector, as floats. */
    BVECS(".bvecs", Byte.BYTES),
    IVECS(".ivecs", Integer.BYTES);

    final String suffix;
    final int bytesPerValue;

    Encoding(String suffix, int bytesPerValue) {
      this.suffix = suffix;
      this.bytesPerValue = bytesPerValue;
    }

    static Encoding of(Path file) {
      String name = file.getFileName().toString();
      String plain = name.endsWith(".gz") ? name.substring(0, name.length() - 3) : name;
      for (Encoding encoding : values()) { // the longer of two matching suffixes stands first
        if (plain.endsWith(encoding.suffix)) {
          return encoding;
        }
      }
      throw new BadInputException(
          file
              + ": unknown kind of file; the name must end in .fvecs, .bvecs, .u8.bvecs or .ivecs,"
              + " optionally followed by .gz");
    }
  }

  /** More values than any vector or list of neighbors has: a longer row means a broken file. */
  private static final int MAX_ROW_LENGTH = 1 << 16;

  private final Path file;
  private final Encoding encoding;
  private final InputStream in;
  private final ByteBuffer header =
      ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private ByteBuffer row = ByteBuffer.allocate(0);
  private int length;
  private long rows;

  RowReader(Path file, Progress.Factory progress) throws IOException {
    this.file = file;
    this.encoding = Encoding.of(file);
    if (!Files.isRegularFile(file)) {
      throw new BadInputException(file + ": no such file");
    }
    InputStream raw =
        progress.whileReading(
            "read " + file.getFileName(), Files.size(file), Files.newInputStream(file));
    try {
      this.in =
          new BufferedInputStream(
              file.toString().endsWith(".gz") ? new GZIPInputStream(raw, 1 << 16) : raw, 1 << 16);
    } catch (ZipException | EOFException e) {
      raw.close();
      throw new BadInputException(file + ": not a gzip file: " + e.getMessage());
    }
  }

  Encoding encoding() {
    return encoding;
  }

  /** Moves to the next row; false after the last. */
  boolean next() throws IOException {
    int got = fill(header.array(), Integer.BYTES);
    if (got == 0) {
      return false;
    }
    if (got < Integer.BYTES) {
      throw cutShort(Integer.BYTES, got);
    }
    length = header.getInt(0);
    if (length < 1 || length > MAX_ROW_LENGTH) {
      throw new BadInputException(
          "%s: row %d has length %d; must be between 1 and %d"
              .formatted(file, rows, length, MAX_ROW_LENGTH));
    }
    int bytes = length * encoding.bytesPerValue;
    if (row.capacity() < bytes) {
      row = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
    got = fill(row.array(), bytes);
    if (got < bytes) {
      throw cutShort(bytes, got);
    }
    rows++;
    return true;
  }

  private int fill(byte[] bytes, int count) throws IOException {
    try {
      return in.readNBytes(bytes, 0, count);
    } catch (EOFException e) {
      throw new BadInputException(
          file + ": the gzip stream is cut short after row " + (rows - 1) + "; download it again?");
    } catch (ZipException e) {
      throw new BadInputException(file + ": broken gzip stream: " + e.getMessage());
    }
  }

  private BadInputException cutShort(int expected, int got) {
    return new BadInputException(
        "%s: row %d is cut short: %d bytes expected, %d found"
            .formatted(file, rows, expected, got));
  }

  /** Values in the current row. */
  int length() {
    return length;
  }

  /** The current row as a vector. */
  float[] vector() {
    float[] vector = new float[length];
    switch (encoding) {
      case FVECS -> row.rewind().asFloatBuffer().get(vector);
      case BVECS -> {
        for (int i = 0; i < length; i++) {
          vector[i] = Byte.toUnsignedInt(row.get(i));
        }
      }
      case UNIT_BVECS -> {
        long squares = 0;
        for (int i = 0; i < length; i++) {
          int value = Byte.toUnsignedInt(row.get(i)) - 128;
          squares += value * value;
          vector[i] = value;
        }
        float norm = (float) Math.sqrt(squares);
        for (int i = 0; i < length; i++) {
          vector[i] /= norm;
        }
      }
      case IVECS -> throw new BadInputException(file + ": holds ids, not vectors");
    }
    for (float value : vector) {
      if (!Float.isFinite(value)) {
        throw new BadInputException(
            "%s: row %d has the value %s; every value must be finite"
                .formatted(file, rows - 1, value));
      }
    }
    return vector;
  }

  /** The current row as ids. */
  int[] ids() {
    if (encoding != Encoding.IVECS) {
      throw new BadInputException(file + ": holds vectors, not ids; expected an .ivecs file");
    }
    int[] ids = new int[length];
    row.rewind().asIntBuffer().get(ids);
    return ids;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
