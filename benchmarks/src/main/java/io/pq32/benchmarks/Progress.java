package io.pq32.benchmarks;

import java.io.InputStream;
import java.io.PrintStream;
import java.util.Locale;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * How far a long task is: a bar on standard error if that is a terminal; elsewhere one line when a
 * task that took a second or more is done.
 */
final class Progress implements AutoCloseable {
  /** Starts tasks. */
  static final class Factory {
    private final boolean terminal;
    private final PrintStream err;

    Factory(boolean terminal, PrintStream err) {
      this.terminal = terminal;
      this.err = err;
    }

    /** Bars if this program talks to a terminal. */
    static Factory forConsole() {
      return new Factory(System.console() != null && System.console().isTerminal(), System.err);
    }

    /** A task of so many steps. */
    Progress start(String task, long steps) {
      return new Progress(task, steps, this);
    }

    /** A task without known steps. */
    Progress start(String task) {
      return start(task, -1);
    }

    /** The stream, with a bar for how much of it was read. */
    InputStream whileReading(String task, long bytes, InputStream in) {
      return terminal ? ProgressBar.wrap(in, bar(task, bytes).setUnit(" MB", 1 << 20)) : in;
    }

    private static ProgressBarBuilder bar(String task, long max) {
      return new ProgressBarBuilder()
          .setTaskName(task)
          .setInitialMax(max)
          .setStyle(ProgressBarStyle.ASCII)
          .setUpdateIntervalMillis(200);
    }
  }

  private final String task;
  private final Factory factory;
  private final ProgressBar bar;
  private final long startNanos = System.nanoTime();

  private Progress(String task, long steps, Factory factory) {
    this.task = task;
    this.factory = factory;
    this.bar = factory.terminal ? Factory.bar(task, steps).build() : null;
  }

  /** Reports so many more steps; safe to call from several threads. */
  void step(long steps) {
    if (bar != null) {
      bar.stepBy(steps);
    }
  }

  @Override
  public void close() {
    double seconds = (System.nanoTime() - startNanos) / 1e9;
    if (bar != null) {
      bar.close();
    } else if (seconds >= 1) {
      factory.err.printf(Locale.ROOT, "%s: %.1f s%n", task, seconds);
    }
  }
}
