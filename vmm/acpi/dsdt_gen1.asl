/* SPDX-License-Identifier: MIT */
/* Generation 1: the VMBus below the ISA bridge of a PCI host bridge, whose windows it uses.
 * There is no device on that PCI bus: its configuration ports read as ones. */
DefinitionBlock ("", "DSDT", 2, "HVKIT ", "HVKITVMM", 1)
{
	Name (\_S5, Package () { 5, 5, 0, 0 })

	Scope (\_SB)
	{
		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A03"))
			Name (_UID, 0)
			Name (_ADR, 0)
			Name (_BBN, 0)
			Name (_CRS, ResourceTemplate ()
			{
				WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,
					0, 0, 0, 0, 1)
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable,
					ReadWrite, 0, 0xF8000000, 0xFEBFFFFF, 0, 0x06C00000)
				QWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable,
					ReadWrite, 0, 0xFE0000000, 0xFFFFFFFFF, 0, 0x20000000)
			})

			Device (SBRG)
			{
				Name (_ADR, 0x00070000)

				Device (VMBS)
				{
					Name (_HID, "VMBUS")
					Name (_UID, 0)
					Name (_DDN, "VMBUS")
					Method (_STA, 0, NotSerialized)
					{
						Return (0x0F)
					}
					Name (_CRS, ResourceTemplate ()
					{
						IRQ (Edge, ActiveHigh, Exclusive) { 5 }
					})
				}

				Device (UAR1)
				{
					Name (_HID, EisaId ("PNP0501"))
					Name (_UID, 1)
					Name (_DDN, "COM1")
					Name (_CRS, ResourceTemplate ()
					{
						IO (Decode16, 0x03F8, 0x03F8, 1, 8)
						IRQ (Edge, ActiveHigh, Exclusive) { 4 }
					})
				}
			}
		}
	}
}
