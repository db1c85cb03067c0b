package io.pq32.quantization;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pq32.quantization.ClassFileRules.Ban;
import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.classfile.ClassFile;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Field;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.ToIntFunction;
import jdk.incubator.vector.ByteVector;
import org.junit.jupiter.api.Test;

class ClassFileRulesTest {
  private static final Ban ORDINALS =
      Ban.of(".*\\.ordinal\\(\\)I", "order is not a promise", "a number of its own");

  static final class Offender {
    ByteVector vector;

    void offend(Thread thread) {
      System.out.println(Math.random() + ThreadLocalRandom.current().nextInt());
      System.err.println(new Random().nextInt());
      System.out.println(new String("x".getBytes()).toUpperCase() + "X".toLowerCase());
      System.out.println(String.format("%d", 1) + "%d".formatted(2));
      thread.setDaemon(true);
    }

    void reachOut() throws Exception {
      Files.exists(Path.of("x"));
      new RandomAccessFile(new File("x"), "r").getChannel().close();
      new Socket("localhost", 1).close();
      new ProcessBuilder("x").start();
      Runtime.getRuntime().exec(new String[] {"x"});
      System.load("x");
      System.exit(Linker.nativeLinker().hashCode());
      Field field = Class.forName("X").getDeclaredField("x");
      field.setAccessible(true);
      MethodHandles.privateLookupIn(Ban.class, MethodHandles.lookup());
      new Thread(() -> {});
    }
  }

  @Test
  void namesEveryOffence() throws IOException {
    String violations = String.join("\n", violations(Offender.class, ClassFileRules.PRODUCT));
    for (String use :
        List.of(
            "jdk/incubator/vector/ByteVector",
            "java/lang/System.out",
            "java/lang/System.err",
            "java/lang/Math.random",
            "java/util/concurrent/ThreadLocalRandom",
            "java/util/Random.<init>()V",
            "java/lang/String.<init>([B)V",
            "java/lang/String.getBytes()",
            "java/lang/String.toUpperCase()",
            "java/lang/String.toLowerCase()",
            "java/lang/String.format(",
            "java/lang/String.formatted(",
            "java/lang/Thread.setDaemon",
            "java/nio/file/Files",
            "java/io/File",
            "java/io/RandomAccessFile",
            "java/nio/channels/FileChannel",
            "java/net/Socket",
            "java/lang/ProcessBuilder",
            "java/lang/Runtime.exec",
            "java/lang/System.load(",
            "java/lang/System.exit",
            "java/lang/foreign/Linker",
            "java/lang/Class.forName",
            "java/lang/Class.getDeclaredField",
            "java/lang/reflect/Field.setAccessible",
            "java/lang/invoke/MethodHandles.privateLookupIn",
            "java/lang/Thread.<init>")) {
      assertTrue(violations.contains("Offender uses " + use), use + " is missing in " + violations);
    }
  }

  @Test
  void tellsClassUseReasonAndReplacement() throws IOException {
    List<String> violations =
        violations(
            Offender.class, List.of(Ban.of("java/lang/Math\\.random.*", "it varies", "a seed")));
    assertEquals(
        List.of(
            "io/pq32/quantization/ClassFileRulesTest$Offender uses java/lang/Math.random()D: it"
                + " varies; use a seed"),
        violations);
  }

  @Test
  void allowsWhatABanExcepts() throws IOException {
    Ban ban = Ban.of("java/lang/Math\\.random.*", "it varies", "a seed");
    assertEquals(List.of(), violations(Offender.class, List.of(ban.exceptIn(".*Rules.*\\$Off.*"))));
  }

  static final class Switch {
    int number(Metric metric) {
      return switch (metric) {
        case EUCLIDEAN -> 7;
        case DOT_PRODUCT -> 8;
        case COSINE -> 9;
      };
    }
  }

  static final class OwnSwitch {
    enum Side {
      LEFT,
      RIGHT
    }

    int number(Side side) {
      return switch (side) {
        case LEFT -> 7;
        case RIGHT -> 8;
      };
    }
  }

  static final class Ordinal {
    int number(Metric metric) {
      return metric.ordinal();
    }
  }

  static final class OrdinalReference {
    ToIntFunction<Metric> number() {
      return Metric::ordinal;
    }
  }

  @Test
  void tellsOrdinalsFromSwitches() throws IOException {
    assertEquals(List.of(), violations(Switch.class, List.of(ORDINALS)));
    assertEquals(List.of(), violations(OwnSwitch.class, List.of(ORDINALS)));
    assertEquals(1, violations(Ordinal.class, List.of(ORDINALS)).size());
    assertEquals(1, violations(OrdinalReference.class, List.of(ORDINALS)).size());
  }

  private static List<String> violations(Class<?> offender, List<Ban> bans) throws IOException {
    String file = offender.getName().substring(offender.getPackageName().length() + 1) + ".class";
    try (var bytes = offender.getResourceAsStream(file)) {
      return ClassFileRules.violations(ClassFile.of().parse(bytes.readAllBytes()), bans);
    }
  }
}
