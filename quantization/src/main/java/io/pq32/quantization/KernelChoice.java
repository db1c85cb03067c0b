package io.pq32.quantization;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;

/**
 * Which kernels does this JVM run? The widest registers that are really fast here, or what the
 * system property {@value #PROPERTY} demands.
 *
 * <p>Two things can go wrong with vectors that no flag tells. An operation the processor lacks is
 * emulated, a hundred times slower than plain loops; only the two-table byte selection of {@link
 * VectorLookup512} differs between processors that are otherwise alike, so it is timed. And a wrong
 * result would go unnoticed in a search that is approximate anyway, so every kernel is compared
 * with its definition once.
 *
 * @param kernels the kernels
 * @param reason why these, for the log
 */
record KernelChoice(PqKernels kernels, String reason) {
  static final String PROPERTY = "pq32.kernels";

  /**
   * Until the compiler has reached the selection it is slower than a loop: for 0.5 s on a machine
   * with four threads per processor, less on an idle one. None of it is lost, because the first
   * search would wait for the compiler instead. Only processors without the instruction wait to the
   * end.
   */
  private static final long PATIENCE_NANOS = 2_000_000_000L;

  /** The choice of this JVM, made and logged when it is first needed. */
  static final PqKernels CHOSEN = logged(choose(System.getProperty(PROPERTY)));

  private static PqKernels logged(KernelChoice choice) {
    Logger logger = System.getLogger(KernelChoice.class.getName());
    logger.log(Level.INFO, "pq32 kernels: {0} ({1})", choice.kernels.name(), choice.reason);
    return choice.kernels;
  }

  /** Chooses by {@code demand}, null leaves it to the machine. */
  static KernelChoice choose(String demand) {
    if (demand == null) {
      return automatic();
    }
    return switch (demand) {
      case "scalar" -> new KernelChoice(new ScalarPqKernels(), "demanded");
      case "vector" -> new KernelChoice(VectorPqKernels.ofWidth(VectorPqKernels.WIDTH), "demanded");
      case "vector128" -> new KernelChoice(VectorPqKernels.ofWidth(128), "demanded");
      case "vector256" -> new KernelChoice(VectorPqKernels.ofWidth(256), "demanded");
      case "vector512" -> new KernelChoice(VectorPqKernels.ofWidth(512), "demanded");
      default ->
          throw new IllegalArgumentException(
              "system property "
                  + PROPERTY
                  + " must be scalar, vector, vector128, vector256 or vector512, got '"
                  + demand
                  + "'");
    };
  }

  private static KernelChoice automatic() {
    String mode = System.getProperty("java.vm.info", "");
    if (mode.contains("interpreted") || mode.contains("emulated-client")) {
      return scalar("vectors need the optimizing compiler, this JVM runs in " + mode);
    }
    try {
      KernelChoice choice = byWidth(VectorPqKernels.WIDTH);
      String differing = KernelCheck.firstDifference(choice.kernels);
      return differing == null
          ? choice
          : scalar(choice.kernels.name() + " computes another " + differing);
    } catch (NoClassDefFoundError e) {
      return scalar("no vectors without --add-modules jdk.incubator.vector");
    } catch (LinkageError e) {
      // Processors whose 512-bit registers are slow need a copy of the kernels. An error that left
      // here would end the process.
      return scalar(e.getMessage());
    }
  }

  private static KernelChoice byWidth(int width) {
    if (width < 128) {
      return scalar("registers of " + width + " bits");
    }
    if (width < 512) {
      return new KernelChoice(VectorPqKernels.ofWidth(width), "preferred width");
    }
    KernelCheck.Race race = KernelCheck.raceSelection(PATIENCE_NANOS);
    return race.won()
        ? new KernelChoice(VectorPqKernels.ofWidth(512), "byte selection " + race)
        : new KernelChoice(VectorPqKernels.ofWidth(256), "512 bits: byte selection " + race);
  }

  private static KernelChoice scalar(String reason) {
    return new KernelChoice(new ScalarPqKernels(), reason);
  }
}
