// SPDX-License-Identifier: GPL-2.0-only
/*
 * An MSI-X interrupt of a device which does DMA, handled out-of-band: the legacy interface of QEMU's
 * virtio-rng, driven by hand, a request at a time.
 */
#include "pipeline-test.h"
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/pci.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>

#define VIRTIO_RNG_LEGACY	0x1005
#define NR_BYTES		16

static struct virtio_rng {
	struct pci_dev *pdev;
	void __iomem *regs;
	struct vring ring;
	void *mem;			/* the ring, then the buffer */
	dma_addr_t mem_dma;
	size_t ring_size;
	int irq;
	u16 seen;			/* used->idx as of the last interrupt */
	unsigned int events;
	unsigned int empty;		/* interrupts which brought nothing */
	unsigned int misplaced;
} rng;

static irqreturn_t rng_handler(int irq, void *data)
{
	struct context_state s = context_state();
	u16 idx = READ_ONCE(rng.ring.used->idx);

	rng.misplaced += !s.oob || !s.hard_off || !s.masked;
	rng.empty += idx == rng.seen;
	WRITE_ONCE(rng.events, rng.events + (u16)(idx - rng.seen));
	rng.seen = idx;

	return IRQ_HANDLED;
}

static u8 *rng_buffer(void)
{
	return rng.mem + rng.ring_size;
}

/* Gives the one buffer to the device. */
static void rng_ask(void)
{
	struct vring *ring = &rng.ring;

	memset(rng_buffer(), 0, NR_BYTES);
	ring->desc[0] = (struct vring_desc) {
		.addr = rng.mem_dma + rng.ring_size, .len = NR_BYTES, .flags = VRING_DESC_F_WRITE,
	};
	ring->avail->ring[ring->avail->idx % ring->num] = 0;
	/* The device reads the entry once it sees the index. */
	wmb();
	WRITE_ONCE(ring->avail->idx, ring->avail->idx + 1);
	mb();
	iowrite16(0, rng.regs + VIRTIO_PCI_QUEUE_NOTIFY);
}

static bool rng_roundtrip(void)
{
	unsigned int before = READ_ONCE(rng.events);

	rng_ask();

	return spin_for(READ_ONCE(rng.events) != before, 5000) && READ_ONCE(rng.events) == before + 1 &&
		memchr_inv(rng_buffer(), 0, NR_BYTES);
}

static void check_roundtrips(const char *when)
{
	int failed = 0;
	unsigned int i;

	for (i = 0; i < rounds && failed < 10; i++)
		failed += !rng_roundtrip();
	tap_ok(!failed, "MSI-X: each request is answered by one interrupt %s (%d of %u failed)", when, failed, rounds);
}

static void test_rng(void)
{
	int ret = request_irq(rng.irq, rng_handler, IRQF_OOB, "pipeline-virtio", &rng);

	if (!tap_ok(!ret, "MSI-X: irq %d requested out-of-band (%d)", rng.irq, ret))
		return;
	check_roundtrips("while in-band is open");
	irq_set_affinity(rng.irq, cpumask_of(smp_processor_id()));
	local_irq_disable();
	check_roundtrips("while in-band is masked");
	local_irq_enable();

	disable_irq(rng.irq);
	ret = rng.events;
	rng_ask();
	tap_ok(!spin_for(READ_ONCE(rng.events) != ret, 20), "MSI-X: disable_irq() holds it");
	enable_irq(rng.irq);
	tap_ok(spin_for(READ_ONCE(rng.events) == ret + 1, 5000), "MSI-X: enable_irq() delivers what came meanwhile");

	tap_ok(!rng.misplaced && !rng.empty, "MSI-X: all on the out-of-band stage, none for nothing (%u, %u not)",
	       rng.misplaced, rng.empty);
	free_irq(rng.irq, &rng);
}

static int rng_queue(void)
{
	unsigned int num;

	iowrite16(0, rng.regs + VIRTIO_PCI_QUEUE_SEL);
	num = ioread16(rng.regs + VIRTIO_PCI_QUEUE_NUM);
	if (!num)
		return -ENODEV;
	rng.ring_size = PAGE_ALIGN(vring_size(num, VIRTIO_PCI_VRING_ALIGN));
	rng.mem = dma_alloc_coherent(&rng.pdev->dev, rng.ring_size + PAGE_SIZE, &rng.mem_dma, GFP_KERNEL);
	if (!rng.mem)
		return -ENOMEM;
	vring_init(&rng.ring, num, rng.mem, VIRTIO_PCI_VRING_ALIGN);
	iowrite32(rng.mem_dma >> VIRTIO_PCI_QUEUE_ADDR_SHIFT, rng.regs + VIRTIO_PCI_QUEUE_PFN);
	iowrite16(0, rng.regs + VIRTIO_MSI_QUEUE_VECTOR);

	return ioread16(rng.regs + VIRTIO_MSI_QUEUE_VECTOR) ? -EBUSY : 0;
}

static void rng_reset(void)
{
	iowrite8(0, rng.regs + VIRTIO_PCI_STATUS);
	if (rng.mem)
		dma_free_coherent(&rng.pdev->dev, rng.ring_size + PAGE_SIZE, rng.mem, rng.mem_dma);
	pci_free_irq_vectors(rng.pdev);
	pci_iounmap(rng.pdev, rng.regs);
	pci_disable_device(rng.pdev);
}

static int rng_open(void)
{
	int ret = pci_enable_device(rng.pdev);

	if (ret)
		return ret;
	pci_set_master(rng.pdev);
	rng.regs = pci_iomap(rng.pdev, 0, 0);
	if (!rng.regs) {
		pci_disable_device(rng.pdev);
		return -ENOMEM;
	}
	iowrite8(0, rng.regs + VIRTIO_PCI_STATUS);
	iowrite8(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER, rng.regs + VIRTIO_PCI_STATUS);
	ret = pci_alloc_irq_vectors(rng.pdev, 1, 1, PCI_IRQ_MSIX);
	if (ret > 0)
		ret = rng_queue();
	if (ret < 0) {
		rng_reset();
		return ret;
	}
	rng.irq = pci_irq_vector(rng.pdev, 0);
	iowrite8(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_DRIVER_OK,
		 rng.regs + VIRTIO_PCI_STATUS);
	return 0;
}

void test_virtio(void)
{
	void *group;
	int ret;

	rng.pdev = pci_get_device(PCI_VENDOR_ID_REDHAT_QUMRANET, VIRTIO_RNG_LEGACY, NULL);
	if (!rng.pdev) {
		tap_skip("no legacy virtio-rng in this machine", "MSI-X of a virtio device");
		return;
	}
	device_release_driver(&rng.pdev->dev);
	/* A driver finds no resources of another's: what the MSI code keeps goes with the group. */
	group = devres_open_group(&rng.pdev->dev, NULL, GFP_KERNEL);
	ret = group ? rng_open() : -ENOMEM;
	if (tap_ok(!ret, "MSI-X: the virtio device is set up (%d)", ret)) {
		test_rng();
		rng_reset();
	}
	if (group)
		devres_release_group(&rng.pdev->dev, group);
	ret = device_attach(&rng.pdev->dev);
	tap_ok(ret == 1, "MSI-X: the in-band driver has its device back (%d)", ret);
	pci_dev_put(rng.pdev);
}
