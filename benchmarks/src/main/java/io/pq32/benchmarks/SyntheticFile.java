package io.pq32.benchmarks;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/** Generates vectors into a file, on all processors; the heap holds one chunk per processor. */
final class SyntheticFile {
  private SyntheticFile() {}

  /** Writes {@code count} vectors to a scratch file that must live as long as the arena. */
  static VectorSet write(
      SyntheticModel model,
      SyntheticModel.Role role,
      int count,
      Path scratch,
      Arena arena,
      Progress progress)
      throws IOException, InterruptedException {
    int workers = Runtime.getRuntime().availableProcessors();
    AtomicInteger next = new AtomicInteger();
    try (FileChannel file =
            FileChannel.open(scratch, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        ExecutorService executor = Executors.newFixedThreadPool(workers)) {
      List<Future<?>> results = new ArrayList<>();
      for (int i = 0; i < workers; i++) {
        results.add(
            executor.submit(
                () -> {
                  writeChunks(model, role, count, next, file, progress);
                  return null;
                }));
      }
      for (Future<?> result : results) {
        result.get();
      }
    } catch (ExecutionException e) {
      throw new IOException("could not generate " + scratch, e.getCause());
    }
    return VectorSet.map(scratch, model.dimension(), arena);
  }

  private static void writeChunks(
      SyntheticModel model,
      SyntheticModel.Role role,
      int count,
      AtomicInteger next,
      FileChannel file,
      Progress progress)
      throws IOException {
    int dimension = model.dimension();
    float[] vectors = new float[SyntheticModel.CHUNK_SIZE * dimension];
    float[] scratch = new float[vectors.length];
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(vectors.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    int chunks = Math.ceilDiv(count, SyntheticModel.CHUNK_SIZE);
    for (int chunk = next.getAndIncrement(); chunk < chunks; chunk = next.getAndIncrement()) {
      model.chunk(role, chunk, vectors, scratch);
      int first = chunk * SyntheticModel.CHUNK_SIZE;
      int wanted = Math.min(SyntheticModel.CHUNK_SIZE, count - first);
      bytes.clear().asFloatBuffer().put(vectors);
      bytes.limit(wanted * dimension * Float.BYTES);
      long position = (long) first * dimension * Float.BYTES;
      while (bytes.hasRemaining()) {
        position += file.write(bytes, position);
      }
      progress.step(wanted);
    }
  }
}
