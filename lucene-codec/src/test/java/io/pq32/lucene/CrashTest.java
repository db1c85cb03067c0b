package io.pq32.lucene;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.lucene.CrashingWriter.Phase;
import io.pq32.quantization.Effort;
import io.pq32.quantization.SeededRandom;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.lucene.index.CheckIndex;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.store.Directory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A process killed in the middle of writing loses nothing that it has committed. */
@ExtendWith(SeededRandom.class)
class CrashTest {
  private static final Storage[] STORAGES = Storage.values();
  private static final Phase[] PHASES = Phase.values();

  /** What a phase takes before one was seen. */
  private static final long UNKNOWN_DURATION = TimeUnit.MILLISECONDS.toNanos(5);

  /** A child lives for a second: too short to compile vector kernels, which crawl until then. */
  private static final List<String> QUICK_START =
      List.of("-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC");

  private final Map<Phase, Long> durations = new EnumMap<>(Phase.class);
  private final Map<Phase, Integer> kills = new EnumMap<>(Phase.class);
  private final Map<Phase, Integer> hits = new EnumMap<>(Phase.class);

  /** Follows what a child says. */
  private final class Watch {
    final Map<Phase, Long> begun = new EnumMap<>(Phase.class);
    final Map<Phase, Integer> running = new EnumMap<>(Phase.class);
    int committed;

    void read(String line) {
      if (line.startsWith(CrashingWriter.COMMITTED)) {
        committed = Integer.parseInt(line.substring(CrashingWriter.COMMITTED.length()));
      }
      for (Phase phase : PHASES) {
        if (line.equals(phase.begin())) {
          begun.put(phase, System.nanoTime());
          running.merge(phase, 1, Integer::sum);
        } else if (line.equals(phase.end())) {
          durations.put(phase, System.nanoTime() - begun.get(phase));
          running.merge(phase, -1, Integer::sum);
        }
      }
    }
  }

  /**
   * Lets a child write until it has begun a phase for the nth time, and kills it a moment later.
   *
   * @return operations that it has said are committed
   */
  private int writeUntilKilled(
      Path folder, Storage storage, boolean mapped, long seed, Phase phase, Random random)
      throws Exception {
    Watch watch = new Watch();
    int nth = phase == Phase.OPEN ? 1 : 1 + random.nextInt(3);
    Process child =
        ChildJvm.start(
            CrashingWriter.class,
            QUICK_START,
            folder.toString(),
            storage.name(),
            Boolean.toString(mapped),
            Boolean.toString(random.nextBoolean()),
            Long.toString(seed));
    try (BufferedReader out = child.inputReader()) {
      while (nth > 0) {
        String line = out.readLine();
        assertTrue(line != null, "the child ended by itself");
        watch.read(line);
        nth -= line.equals(phase.begin()) ? 1 : 0;
      }
      long duration = durations.getOrDefault(phase, UNKNOWN_DURATION);
      LockSupport.parkNanos((long) (random.nextDouble() * duration));
      child.toHandle().destroyForcibly(); // that of Process would close what it has said
      out.lines().forEach(watch::read);
    } finally {
      child.destroyForcibly().waitFor();
    }
    kills.merge(phase, 1, Integer::sum);
    hits.merge(phase, watch.running.get(phase) > 0 ? 1 : 0, Integer::sum);
    return watch.committed;
  }

  /** Checks an index against its script and returns how many operations it holds. */
  private static int check(Directory directory, Storage storage, Script script, Random random)
      throws IOException {
    try (CheckIndex check = new CheckIndex(directory)) {
      check.setLevel(CheckIndex.Level.MIN_LEVEL_FOR_SLOW_CHECKS);
      assertTrue(check.checkIndex().clean);
    }
    int operations;
    TreeSet<String> files;
    try (DirectoryReader reader = DirectoryReader.open(directory)) {
      operations = Script.operations(reader);
      script.assertHolds(reader, operations);
      script.assertFinds(reader, random);
      files = new TreeSet<>(reader.getIndexCommit().getFileNames());
    }
    new IndexWriter(directory, CrashingWriter.config(storage, false)).rollback();
    files.add(IndexWriter.WRITE_LOCK_NAME);
    assertEquals(files, new TreeSet<>(List.of(directory.listAll())), "left by the dead");
    return operations;
  }

  @Test
  @Timeout(3600)
  void losesNothingThatWasCommitted(Random random, @TempDir Path folder) throws Exception {
    long seed = random.nextLong();
    Script script = CrashingWriter.script(seed);
    try (Directory directory = CrashingWriter.open(folder, true)) {
      new IndexWriter(directory, CrashingWriter.config(Storage.CODES, false)).close();
    }
    int committed = 0;
    int rounds = Effort.of(6, 80);
    for (int round = 0; round < rounds; round++) {
      Storage storage = STORAGES[random.nextInt(STORAGES.length)];
      boolean mapped = random.nextBoolean();
      Phase phase = PHASES[PHASES.length - 1 - round % PHASES.length]; // opening the last
      int said = writeUntilKilled(folder, storage, mapped, seed, phase, random);
      try (Directory directory = CrashingWriter.open(folder, mapped)) {
        int found = check(directory, storage, script, random);
        String what = storage + " killed in " + phase + " in round " + round;
        assertTrue(found >= Math.max(said, committed), what + ": " + found + " of " + said);
        committed = found;
      }
    }
    assertTrue(committed > 0, "nothing was ever committed");
    System.out.printf(
        "%d kills, %d operations; kills in %s, in time: %s%n", rounds, committed, kills, hits);
  }
}
