package io.pq32.benchmarks;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.IntStream;

/** Vectors of one dimension, in a mapped scratch file: no data set has to fit the heap. */
final class VectorSet {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final MemorySegment floats; // [row][dimension], row-major
  private final int dimension;
  private final int[] rows; // ascending

  private VectorSet(MemorySegment floats, int dimension, int[] rows) {
    this.floats = floats;
    this.dimension = dimension;
    this.rows = rows;
  }

  /** Decodes a file of vectors into a scratch file that must live as long as the arena. */
  static VectorSet read(Path file, Path scratch, Arena arena, Progress.Factory progress)
      throws IOException {
    int dimension = 0;
    int count = 0;
    try (RowReader reader = new RowReader(file, progress);
        OutputStream out = new BufferedOutputStream(Files.newOutputStream(scratch), 1 << 16)) {
      ByteBuffer bytes = ByteBuffer.allocate(0);
      while (reader.next()) {
        if (count == 0) {
          dimension = reader.length();
          bytes = ByteBuffer.allocate(dimension * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        } else if (reader.length() != dimension) {
          throw new BadInputException(
              "%s: row %d has dimension %d, the rows before it %d"
                  .formatted(file, count, reader.length(), dimension));
        }
        bytes.clear().asFloatBuffer().put(reader.vector());
        out.write(bytes.array());
        count++;
      }
    }
    if (count == 0) {
      throw new BadInputException(file + ": is empty");
    }
    return map(scratch, dimension, arena);
  }

  /** The vectors of a scratch file: rows of little-endian floats without anything between them. */
  static VectorSet map(Path scratch, int dimension, Arena arena) throws IOException {
    try (FileChannel channel = FileChannel.open(scratch)) {
      MemorySegment floats = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
      int count = Math.toIntExact(channel.size() / ((long) dimension * Float.BYTES));
      return new VectorSet(floats, dimension, IntStream.range(0, count).toArray());
    }
  }

  int size() {
    return rows.length;
  }

  int dimension() {
    return dimension;
  }

  /** Place of vector {@code index} in the file this set was read from. */
  int row(int index) {
    return rows[index];
  }

  /** Copies vector {@code index}. */
  void copy(int index, float[] into) {
    copy(index, into, 0);
  }

  /** Copies vector {@code index} to {@code into[offset..]}. */
  void copy(int index, float[] into, int offset) {
    long from = (long) rows[index] * dimension * Float.BYTES;
    MemorySegment.copy(floats, FLOAT, from, into, offset, dimension);
  }

  /** A copy of vector {@code index}. */
  float[] get(int index) {
    float[] vector = new float[dimension];
    copy(index, vector);
    return vector;
  }

  /** Copies of all vectors. */
  float[][] toArray() {
    float[][] vectors = new float[rows.length][];
    for (int i = 0; i < vectors.length; i++) {
      vectors[i] = get(i);
    }
    return vectors;
  }

  /** Some of the vectors, by ascending index. */
  VectorSet select(int[] indexes) {
    return new VectorSet(
        floats, dimension, IntStream.of(indexes).map(index -> rows[index]).toArray());
  }

  /** A random sample without replacement, in the order of this set; all of it if it is smaller. */
  VectorSet sample(int count, long seed) {
    if (count >= rows.length) {
      return this;
    }
    Random random = new Random(seed);
    int[] sample = new int[count];
    int taken = 0;
    // Knuth's algorithm S: takes each row with probability (still wanted) / (still to come).
    for (int i = 0; taken < count; i++) {
      if (random.nextInt(rows.length - i) < count - taken) {
        sample[taken++] = rows[i];
      }
    }
    return new VectorSet(floats, dimension, sample);
  }
}
