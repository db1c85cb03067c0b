package io.pq32.benchmarks;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/**
 * The exact nearest neighbors of every query.
 *
 * @param neighbors base ids per query, nearest first: [query][rank]
 */
record GroundTruth(int[][] neighbors) {

  static GroundTruth read(Path file) throws IOException {
    List<int[]> neighbors = new ArrayList<>();
    // Lists of ids are small: not worth a bar.
    try (RowReader reader = new RowReader(file, new Progress.Factory(false, System.err))) {
      while (reader.next()) {
        neighbors.add(reader.ids());
      }
    }
    return new GroundTruth(neighbors.toArray(int[][]::new));
  }

  /** Writes an ivecs file, at once or not at all. */
  void write(Path file) throws IOException {
    Path part = Files.createTempFile(file.toAbsolutePath().getParent(), "truth", ".part");
    try (OutputStream out = Files.newOutputStream(part)) {
      for (int[] row : neighbors) {
        ByteBuffer bytes =
            ByteBuffer.allocate((1 + row.length) * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(row.length).asIntBuffer().put(row);
        out.write(bytes.array());
      }
    }
    Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
  }

  /** Neighbors known of every query. */
  int depth() {
    int depth = Integer.MAX_VALUE;
    for (int[] row : neighbors) {
      depth = Math.min(depth, row.length);
    }
    return depth;
  }

  /** The rows of the queries in a sample of those this truth was computed for. */
  GroundTruth forQueries(VectorSet queries) {
    int[][] selected = new int[queries.size()][];
    for (int i = 0; i < selected.length; i++) {
      selected[i] = neighbors[queries.row(i)];
    }
    return new GroundTruth(selected);
  }
}
